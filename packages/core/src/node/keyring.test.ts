import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { seal, unseal } from '../vault/seal.ts'
import { keysOf } from '../vault/sealed.ts'
import { keyFromKeyring } from './keyring.ts'

// No keyring runs where tests do. This one is slow, as a real one is, so that two calls overlap; what
// the real package does without a keyring is seen in a process of its own, below.
const keyring = vi.hoisted(() => ({
  entries: new Map<string, string>(),
  options: [] as unknown[],
  fails: undefined as string | undefined,
  forgets: false,
  writes: 0,
  holds: [] as (Promise<unknown> | undefined)[],
}))

vi.mock('@napi-rs/keyring', () => ({
  AsyncEntry: class {
    readonly name: string
    constructor(service: string, account: string, options: unknown) {
      this.name = `${service}/${account}`
      keyring.options.push(options)
    }
    async getPassword() {
      if (keyring.fails !== undefined) throw new Error(keyring.fails)
      const text = keyring.entries.get(this.name) ?? null
      await (keyring.holds.shift() ?? sleep(2))
      return text
    }
    async setPassword(text: string) {
      // Each later write takes longer, so that the earlier writer has read its own before it.
      await sleep(10 * ++keyring.writes)
      if (!keyring.forgets) keyring.entries.set(this.name, text)
    }
  },
}))

const ref = { kind: 'meta', owner: 'o', id: 'i' } as const
const entry = { service: 'made-up-agent', account: 'authmd' }
let dir = ''

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'authmd-keyring-test-'))
  vi.stubEnv('TMPDIR', dir)
  Object.assign(keyring, { fails: undefined, forgets: false, writes: 0 })
  keyring.entries.clear()
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(dir, { recursive: true, force: true })
})

test('a key is made where it is wanted, and is the same one afterwards', async () => {
  await expect(keyFromKeyring(entry)).rejects.toMatchObject({
    code: 'key_invalid',
    message: 'the keyring has no entry authmd of made-up-agent',
  })
  expect(keyring.entries.size).toBe(0)
  const text = await seal(await keyFromKeyring({ ...entry, create: true }), ref, 1, 'x')
  for (const more of [{}, { create: true }]) {
    const keys = await keysOf(keyFromKeyring({ ...entry, ...more }))
    expect((await unseal(keys, ref, 1, text)).value).toBe('x')
  }
  const elsewhere = await keysOf(keyFromKeyring({ ...entry, account: 'other', create: true }))
  await expect(unseal(elsewhere, ref, 1, text)).rejects.toMatchObject({ code: 'store_wrong_key' })
})

test('of several that make a key at once all get the same', async () => {
  const create = () => keyFromKeyring({ ...entry, create: true })
  const made = await Promise.all([create(), create(), create(), create()])
  expect(new Set(await Promise.all(made.map((key) => key.keyId()))).size).toBe(1)
})

test('who looked before another made the key looks again before making one', async () => {
  const { promise, resolve } = Promise.withResolvers()
  keyring.holds.push(undefined, promise)
  const late = keyFromKeyring({ ...entry, create: true })
  while (keyring.holds.length > 0) await sleep(1)
  const first = await keyFromKeyring({ ...entry, create: true })
  resolve(undefined)
  expect(await (await late).keyId()).toBe(await first.keyId())
})

test("the kernel's keyring, which forgets at a restart, is never used", async () => {
  await keyFromKeyring({ ...entry, create: true })
  expect(keyring.options.at(-1)).toEqual({ linux: { store: 'secret-service' } })
})

test('an entry that is no key is not replaced and not repeated', async () => {
  keyring.entries.set('made-up-agent/authmd', 'canary-no-key')
  const error = await keyFromKeyring({ ...entry, create: true }).catch((reason) => reason)
  expect(error).toMatchObject({ code: 'key_invalid' })
  expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain('canary')
  expect(keyring.entries.get('made-up-agent/authmd')).toBe('canary-no-key')
})

test('a keyring that is locked, or keeps nothing, is said', async () => {
  keyring.forgets = true
  await expect(keyFromKeyring({ ...entry, create: true })).rejects.toMatchObject({
    code: 'key_unavailable',
    message: 'the keyring did not keep the key',
  })
  keyring.fails = 'locked'
  await expect(keyFromKeyring({ ...entry, create: true })).rejects.toMatchObject({
    code: 'key_unavailable',
    cause: { message: 'locked' },
  })
})

test.each([{ service: '' }, { account: '' }, { service: 7 }, { account: 'a\0b' }])(
  'an entry with %j is refused',
  async (more) => {
    const bad = { ...entry, ...more } as typeof entry
    await expect(keyFromKeyring(bad)).rejects.toMatchObject({ code: 'key_invalid' })
  },
)

const script = `
  const { keyFromKeyring } = await import(process.argv[1])
  const error = await keyFromKeyring({ service: 'made-up', account: 'a', create: true }).catch((e) => e)
  console.log(error.code + ': ' + error.message)`

async function inProcess(extra: readonly string[] = []): Promise<string> {
  const at = fileURLToPath(new URL('./keyring.ts', import.meta.url))
  const args = [...extra, '--no-warnings', '--input-type=module', '-e', script, at]
  const env = { ...process.env, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere/made-up' }
  return (await promisify(execFile)(process.execPath, args, { env })).stdout.trim()
}

test.runIf(process.platform === 'linux')(
  'the real package without a keyring service is a clear error, and nothing is made',
  async () => {
    expect(await inProcess()).toBe(
      'key_unavailable: the keyring cannot be opened (without a desktop, use keyFromFile)',
    )
  },
)

test('without the package the error says what to install', async () => {
  const hook = `import { registerHooks } from 'node:module'
    registerHooks({ resolve: (name, context, next) => {
      if (name !== '@napi-rs/keyring') return next(name, context)
      throw Object.assign(new Error('none'), { code: 'ERR_MODULE_NOT_FOUND' })
    } })`
  const url = `data:text/javascript,${encodeURIComponent(hook)}`
  expect(await inProcess(['--import', url])).toBe(
    'key_unavailable: keyFromKeyring needs a package: npm install @napi-rs/keyring',
  )
})
