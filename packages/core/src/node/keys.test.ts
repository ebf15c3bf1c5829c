import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { WrappingKey } from '../vault/master-key.ts'
import { seal, unseal } from '../vault/seal.ts'
import { keysOf } from '../vault/sealed.ts'
import { keyFromEnv, keyFromFile } from './keys.ts'

const ref = { kind: 'meta', owner: 'o', id: 'i' } as const
const hex = '0a'.repeat(32)
let dir = ''

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'authmd-keys-'))
})

afterEach(() => rm(dir, { recursive: true, force: true }))

async function openWith(key: WrappingKey, text: string): Promise<string> {
  return (await unseal(await keysOf(key), ref, 1, text)).value
}

test('a key file is read when only its owner may read it', async () => {
  const path = join(dir, 'key')
  await writeFile(path, `${hex}\n`, { mode: 0o600 })
  const text = await seal(await keyFromFile(path), ref, 1, 'x')
  process.env.AUTHMD_TEST_KEY = hex
  expect(await openWith(keyFromEnv('AUTHMD_TEST_KEY'), text)).toBe('x')
  for (const mode of [0o640, 0o604, 0o660, 0o644]) {
    await chmod(path, mode)
    await expect(keyFromFile(path)).rejects.toMatchObject({
      code: 'key_invalid',
      message: expect.stringContaining('chmod 600'),
    })
  }
  await chmod(path, 0o400)
  await keyFromFile(path)
})

test('a missing, malformed or unreadable key file is a typed error without its content', async () => {
  const path = join(dir, 'key')
  await expect(keyFromFile(path)).rejects.toMatchObject({ code: 'key_invalid' })
  expect(await readdir(dir)).toEqual([])
  await writeFile(path, 'canary-malformed', { mode: 0o600 })
  const error = await keyFromFile(path, { create: true }).catch((reason) => reason)
  expect(error).toMatchObject({ code: 'key_invalid' })
  expect(error.message + error.stack).not.toContain('canary')
  expect(await readFile(path, 'utf8')).toBe('canary-malformed')
  await chmod(dir, 0o700)
  await expect(keyFromFile(dir)).rejects.toMatchObject({ code: 'key_invalid' })
})

test('create makes a key once, with mode 0600, also below a missing directory', async () => {
  const path = join(dir, 'deep', 'er', 'key')
  const first = await keyFromFile(path, { create: true })
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect((await stat(join(dir, 'deep'))).mode & 0o777).toBe(0o700)
  const text = await seal(first, ref, 1, 'x')
  expect(await openWith(await keyFromFile(path, { create: true }), text)).toBe('x')
  expect(await readdir(join(dir, 'deep', 'er'))).toEqual(['key'])
})

test('processes that create a key at once end with one key', async () => {
  const script = `
    const { keyFromFile } = await import(process.argv[1])
    const { seal } = await import(process.argv[2])
    const key = await keyFromFile(process.argv[3], { create: true })
    console.log((await seal(key, ${JSON.stringify(ref)}, 1, 'x')).split('.')[1])`
  const at = (file: string) => fileURLToPath(new URL(file, import.meta.url))
  const args = ['--input-type=module', '-e', script, at('./keys.ts'), at('../vault/seal.ts')]
  const run = () => promisify(execFile)(process.execPath, [...args, join(dir, 'key')])
  const ids = (await Promise.all([run(), run(), run()])).map((it) => it.stdout.trim())
  expect(new Set(ids).size).toBe(1)
  expect(ids[0]).toMatch(/^[\w-]{11}$/)
})

test('a key from the environment is taken out of it, and can be asked for again', async () => {
  process.env.AUTHMD_TEST_ONE = hex
  const first = keyFromEnv('AUTHMD_TEST_ONE')
  expect('AUTHMD_TEST_ONE' in process.env).toBe(false)
  expect(keyFromEnv('AUTHMD_TEST_ONE')).toBe(first)
})

test('a missing or malformed variable is a typed error that never repeats the value', () => {
  expect(() => keyFromEnv('AUTHMD_TEST_MISSING')).toThrow('AUTHMD_TEST_MISSING is not set')
  for (const value of ['', 'canary-value', `${hex}0`]) {
    process.env.AUTHMD_TEST_BAD = value
    let error: unknown
    try {
      keyFromEnv('AUTHMD_TEST_BAD')
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'key_invalid' })
    expect(`${error} ${JSON.stringify(error)} ${(error as Error).stack}`).not.toMatch(/canary|0a0a/)
    expect('AUTHMD_TEST_BAD' in process.env).toBe(false)
  }
})
