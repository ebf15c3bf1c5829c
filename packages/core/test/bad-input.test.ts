import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Fault } from '@authmd/sandbox'
import { afterEach, describe, expect, test } from 'vitest'
import { fileStore } from '../src/node/file-store.ts'
import { MasterKey } from '../src/vault/master-key.ts'
import { startWorld } from './world.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

async function world(options: Parameters<typeof startWorld>[0] = {}) {
  const started = await startWorld(options)
  open.push(started.sandbox)
  return started
}

describe('an address that is none', () => {
  test.each([
    ['not a URL', 'https://', 'invalid_url'],
    ['another scheme', 'ftp://svc.example', 'invalid_url'],
    ['userinfo', 'https://kim:pass@svc.example', 'invalid_url'],
    ['a private address', 'https://10.0.0.1', 'address_refused'],
    ['the metadata service', 'http://169.254.169.254/latest', 'address_refused'],
    ['nothing', '', 'invalid_input'],
    ['a URL of 201 characters', `https://svc.example/${'a'.repeat(181)}`, 'invalid_input'],
  ])('%s is refused by name, and nothing is sent', async (_name, service, code) => {
    const { sandbox, session } = await world()
    await expect(session.discover({ service })).rejects.toMatchObject({ code })
    await expect(session.register({ service })).rejects.toMatchObject({ code })
    expect(sandbox.log).toEqual([])
    const all = await session.discover()
    expect(all).toMatchObject({ status: 'found', registrations: [], credentials: [] })
  })
})

describe('an answer that is none', () => {
  const answers: readonly (readonly [string, Omit<Fault, 'name'>])[] = [
    ['an empty answer', { bodyReplace: 'empty' }],
    ['HTML where JSON was wanted', { bodyReplace: 'html' }],
    ['a body above the limit', { bodyReplace: 'endless' }],
  ]

  test.each(answers)('%s to discovery is "not here"', async (_name, fault) => {
    const { sandbox, session } = await world()
    for (const name of ['prm', 'as_metadata', 'auth_md']) sandbox.faults.add({ name, ...fault })
    const found = await session.discover({ service: sandbox.urls.api })
    expect(found).toMatchObject({ status: 'found', offers: [] })
  })

  test.each(answers)(
    '%s to the challenge leaves a registration that says so',
    async (_name, fault) => {
      const { sandbox, session } = await world()
      sandbox.faults.add({ name: 'bot_challenge', ...fault })
      const outcome = await session.register({ service: sandbox.urls.api })
      expect(outcome.status).toBe('refused')
      expect(sandbox.log.filter((one) => one.effect)).toEqual([])
    },
  )
})

test('a registration that does not exist, or is of another owner, is not found', async () => {
  const { sandbox, auth, session } = await world()
  const asked = await session.register({ service: sandbox.urls.api })
  const registration = asked.registration ?? ''
  const other = auth.as({ tenant: 'acme', user: 'lee' })
  const sent = sandbox.log.length
  for (const [who, id] of [
    [session, 'reg_unknown'],
    [other, registration],
  ] as const) {
    await expect(who.claim({ registration: id })).rejects.toMatchObject({ code: 'not_found' })
    const input = { service: sandbox.urls.api, registration: id, answer: '4' }
    await expect(who.register(input)).rejects.toMatchObject({ code: 'not_found' })
  }
  await expect(session.claim({ registration: '../../etc' })).rejects.toMatchObject({
    code: 'invalid_input',
  })
  expect(sandbox.log.length).toBe(sent)
})

test.each([
  ['missing', undefined],
  ['without a tenant', { user: 'kim' }],
  ['empty', { tenant: ' ' }],
  ['a number', { tenant: 7 }],
  ['with a part that we do not know', { tenant: 'acme', role: 'admin' }],
])('an owner that is %s is refused', async (_name, owner) => {
  const { auth } = await world()
  expect(() => auth.as(owner as never)).toThrow(expect.objectContaining({ code: 'owner_invalid' }))
})

describe('the store', () => {
  const key = new MasterKey(new Uint8Array(32).fill(7))

  async function inDir<T>(work: (dir: string) => Promise<T>): Promise<T> {
    const dir = await mkdtemp(join(tmpdir(), 'authmd-bad-'))
    try {
      return await work(dir)
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  }

  async function recordsIn(dir: string): Promise<string[]> {
    const names = await readdir(dir, { recursive: true })
    return names.filter((name) => name.startsWith('registration') && /\d\.json/.test(name))
  }

  test('a truncated file is kept, named and never written over', async () => {
    await inDir(async (dir) => {
      const { sandbox, session } = await world({ store: fileStore({ dir, key }) })
      const asked = await session.register({ service: sandbox.urls.api })
      const [file = ''] = await recordsIn(dir)
      const whole = await readFile(join(dir, file), 'utf8')
      const half = whole.slice(0, whole.length / 2)
      await writeFile(join(dir, file), half)
      const sent = sandbox.log.length

      const registration = asked.registration ?? ''
      const damaged = { code: 'store_damaged' }
      await expect(session.claim({ registration })).rejects.toMatchObject(damaged)
      await expect(session.claim({ registration })).rejects.toMatchObject(damaged)
      // Not taken for absent: a new registration would double what may exist.
      const again = await session.register({ service: sandbox.urls.api }).catch((error) => error)
      expect(again.code ?? again.status).toMatch(/store_damaged|store_conflict/)
      expect(sandbox.log.filter((one) => one.effect)).toEqual([])
      expect(sandbox.log.slice(sent).filter((one) => one.name === 'bot_signup')).toEqual([])

      const [kept = ''] = await recordsIn(dir)
      expect(kept).toContain('damaged')
      expect(await readFile(join(dir, kept), 'utf8')).toBe(half)
    })
  })

  test('a wrong key opens nothing and writes nothing', async () => {
    await inDir(async (dir) => {
      const { sandbox, session } = await world({ store: fileStore({ dir, key }) })
      await session.register({ service: sandbox.urls.api })
      const before = await readdir(dir, { recursive: true })
      const wrong = new MasterKey(new Uint8Array(32).fill(8))
      const other = await world({ store: fileStore({ dir, key: wrong }) })
      await expect(other.session.discover()).rejects.toMatchObject({ code: 'store_wrong_key' })
      await expect(
        other.session.register({ service: other.sandbox.urls.api }),
      ).rejects.toMatchObject({ code: 'store_wrong_key' })
      expect((await readdir(dir, { recursive: true })).sort()).toEqual(before.sort())
    })
  })
})
