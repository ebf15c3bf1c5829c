import { createHash } from 'node:crypto'
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { AuthEvent } from '../src/events.ts'
import { fileStore } from '../src/node/file-store.ts'
import { allowLoopback, createAgentAuth, MasterKey } from '../src/node/main.ts'
import { ownerKey } from '../src/owner.ts'
import type { Session } from '../src/session.ts'
import { seal } from '../src/vault/seal.ts'
import type { StoreKey } from '../src/vault/sealed.ts'
import { serve } from './loopback-servers.ts'

const key = new MasterKey(new Uint8Array(32).fill(7))
const other = new MasterKey(new Uint8Array(32).fill(8))
const kim = { tenant: 'acme', user: 'kim' }
const lee = { tenant: 'acme', user: 'lee' }

/** Two credentials of one owner and one of another on a disk, all for a service that takes them. */
async function kept() {
  const dir = await mkdtemp(join(tmpdir(), 'authmd-damage-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const service = await serve((request, response) => {
    const known = /^Bearer made-up-(first|second|lee)$/.test(request.headers.authorization ?? '')
    response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' }).end('{"ok":true}')
  })
  const events: AuthEvent[] = []
  const open = (given: StoreKey = key) =>
    createAgentAuth({
      store: fileStore({ dir, key: given }),
      [allowLoopback]: true,
      onEvent: (event) => events.push(event),
    })
  const auth = open()
  const add = async (session: Session, name: string) => {
    const origin = `${service.origin}/${name}`
    const secret = `made-up-${name}`
    return (await session.import({ service: origin, audience: origin, secret })).handle
  }
  const first = await add(auth.as(kim), 'first')
  const second = await add(auth.as(kim), 'second')
  const hers = await add(auth.as(lee), 'lee')
  const at = async (owner: typeof kim, handle = '') =>
    join(dir, 'credential', await ownerKey(owner), handle)
  const events_ = () => events.flatMap((one) => (one.type === 'damaged' ? [one.record] : []))
  return { dir, service, open, auth, first, second, hers, at, damaged: events_ }
}

type World = Awaited<ReturnType<typeof kept>>

async function theFile(dir: string): Promise<string> {
  const names = await readdir(dir)
  return join(dir, names.find((name) => /^\d+\.json$/.test(name)) ?? '')
}

/** Changes what a file says and puts it back under a correct sum, as somebody who can write there would. */
async function forge(
  file: string,
  change: (envelope: { seq: number; revision: number; value: string }) => void,
  to: string = file,
): Promise<void> {
  const { sum: _, ...envelope } = JSON.parse(await readFile(file, 'utf8'))
  change(envelope)
  const body = JSON.stringify(envelope)
  const sum = createHash('sha256').update(body).digest('base64url')
  await writeFile(to, `${body.slice(0, -1)},"sum":"${sum}"}\n`)
}

async function firstFile({ at, first }: World): Promise<string> {
  return theFile(await at(kim, first))
}

/** Each does one damage to the first credential, or says which handle is the damaged one. */
const damages: [string, string, (world: World) => Promise<string | undefined>][] = [
  [
    "another owner's file in its place",
    'store_damaged',
    async (world) => {
      const { at, first, hers } = world
      await rm(await at(kim, first), { recursive: true })
      await cp(await at(lee, hers), await at(kim, first), { recursive: true })
      return undefined
    },
  ],
  [
    "another owner's file under its own name",
    'store_damaged',
    async ({ at, hers }) => {
      await cp(await at(lee, hers), await at(kim, hers), { recursive: true })
      return hers
    },
  ],
  [
    'renamed to another handle',
    'store_damaged',
    async ({ at, first }) => {
      await rename(await at(kim, first), await at(kim, 'cred_renamed'))
      return 'cred_renamed'
    },
  ],
  [
    'an older revision put back under the newer number',
    'store_damaged',
    async (world) => {
      const file = await firstFile(world)
      const text = await readFile(file, 'utf8')
      await world.auth.as(kim).use({ credential: world.first, path: '/first' })
      const newer = await theFile(await world.at(kim, world.first))
      expect(newer).not.toBe(file)
      const { seq, revision } = JSON.parse(await readFile(newer, 'utf8'))
      await writeFile(newer, text)
      await forge(newer, (envelope) => Object.assign(envelope, { seq, revision }))
      return undefined
    },
  ],
  [
    'a flipped ciphertext',
    'store_damaged',
    async (world) => {
      await forge(await firstFile(world), (envelope) => {
        const { value } = envelope
        envelope.value = `${value.slice(0, -6)}${value.at(-6) === 'A' ? 'B' : 'A'}${value.slice(-5)}`
      })
      return undefined
    },
  ],
  [
    'a file cut at half',
    'store_damaged',
    async (world) => {
      const file = await firstFile(world)
      const whole = await readFile(file, 'utf8')
      await writeFile(file, whole.slice(0, whole.length / 2))
      return undefined
    },
  ],
  [
    'a value from a future version',
    'store_version',
    async (world) => {
      await forge(await firstFile(world), (envelope) => {
        envelope.value = envelope.value.replace(/^v2/, 'v3')
      })
      return undefined
    },
  ],
  [
    'a file from a future version',
    'store_version',
    async (world) => {
      await writeFile(await firstFile(world), '{"v":9,"anything":true}')
      return undefined
    },
  ],
  [
    'a key half-way changed',
    'store_wrong_key',
    async (world) => {
      const { first } = world
      const ref = { kind: 'credential', owner: await ownerKey(kim), id: first } as const
      const value = await seal(other, ref, 1, '{"made-up":"under the other key"}')
      await forge(await firstFile(world), (envelope) => Object.assign(envelope, { value }))
      return undefined
    },
  ],
]

test.each(damages)('%s: %s, and all the rest stays usable', async (_, code, damage) => {
  const world = await kept()
  const { at, second, hers, service, damaged } = world
  const bad = (await damage(world)) ?? world.first
  const place = await at(kim, bad)
  const bytes = async () => {
    const names = await readdir(place)
    return Promise.all(names.map((name) => readFile(join(place, name), 'utf8')))
  }
  const before = await bytes()

  const auth = world.open()
  const session = auth.as(kim)
  const requests = service.seen.length
  await expect(session.use({ credential: bad, path: '/first' })).rejects.toMatchObject({ code })
  await expect(session.revoke({ credential: bad })).rejects.toMatchObject({ code })
  await expect(session.forget(bad)).rejects.toMatchObject({ code })
  expect(service.seen.slice(requests)).toEqual([])

  const handles = (await session.list()).map(({ handle }) => handle)
  expect(handles).toContain(second)
  expect(handles).not.toContain(bad)
  expect(await auth.tick()).toEqual({ advanced: 0, failed: [] })
  const used = await session.use({ credential: second, path: '/second' })
  expect(used).toMatchObject({ status: 'answered', answer: { status: 200 } })
  const hersUsed = await auth.as(lee).use({ credential: hers, path: '/lee' })
  expect(hersUsed).toMatchObject({ status: 'answered' })

  await session.list()
  const record = { kind: 'credential', owner: await ownerKey(kim), id: bad, code }
  expect(damaged()).toEqual([record])
  expect(await bytes()).toEqual(before)
})

test.each(damages)(
  '%s: erasing the owner deletes the rest and names it',
  async (_, code, damage) => {
    const world = await kept()
    const bad = (await damage(world)) ?? world.first
    const owner = await ownerKey(kim)
    const auth = world.open()
    const { records, damaged } = await auth.admin.erase(kim)
    expect(damaged).toEqual([{ kind: 'credential', owner, id: bad, code }])
    expect(records).toBeGreaterThan(0)
    expect(await auth.as(kim).list()).toEqual([])
    expect(await auth.admin.erase(kim)).toEqual({ records: 0, damaged })
    const hersUsed = await auth.as(lee).use({ credential: world.hers, path: '/lee' })
    expect(hersUsed).toMatchObject({ status: 'answered' })
    await rm(await world.at(kim, bad), { recursive: true })
    expect(await auth.admin.erase(kim)).toEqual({ records: 0, damaged: [] })
  },
)

test('erasing comes to an end where whole pages cannot be read', async () => {
  const world = await kept()
  const owner = await ownerKey(kim)
  for (let n = 0; n < 150; n++) {
    const dir = join(world.dir, 'credential', owner, `a-${n}`)
    await mkdir(dir)
    await writeFile(join(dir, '1.json'), '{')
  }
  const { damaged } = await world.open().admin.erase(kim)
  expect(damaged).toHaveLength(150)
  expect(await world.open().as(kim).list()).toEqual([])
})

test('a damaged credential is not said to be absent', async () => {
  const world = await kept()
  const session = world.open().as(kim)
  const none = await session.use({ service: 'https://svc.example', path: '/x' })
  expect(none).toMatchObject({
    code: 'no_credential',
    reason: 'No credential is held for this service.',
  })
  await writeFile(await firstFile(world), '{"v":1,')
  expect(await session.use({ service: 'https://svc.example', path: '/x' })).toMatchObject({
    code: 'no_credential',
    reason: expect.stringContaining('1 of those stored cannot be read'),
  })
})

test('a damaged registration stops no tick and no other registration', async () => {
  const world = await kept()
  const store = fileStore({ dir: world.dir, key })
  const owner = await ownerKey(kim)
  for (const id of ['reg_1', 'reg_2']) {
    await store.put({ kind: 'registration', owner, id, value: '{"id":', due: 1 }, 0)
  }
  await writeFile(join(world.dir, 'registration', owner, 'reg_1', '1.json'), '{"v":1,')
  const auth = world.open()
  expect(await auth.tick()).toEqual({
    advanced: 0,
    failed: [{ registration: 'reg_2', code: 'unknown' }],
  })
  expect(world.damaged()).toEqual([
    { kind: 'registration', owner, id: 'reg_1', code: 'store_damaged' },
  ])
})

test('without the key, or with another one, nothing is read and nothing is written', async () => {
  const { dir, open, first } = await kept()
  const before = (await readdir(dir, { recursive: true })).sort()
  for (const given of [Promise.reject(new Error('the key is gone')), other]) {
    const session = open(given as StoreKey).as(kim)
    const code = given === other ? 'store_wrong_key' : 'store_failed'
    await expect(session.list()).rejects.toMatchObject({ code })
    await expect(session.use({ credential: first, path: '/first' })).rejects.toMatchObject({ code })
    const secret = 'made-up-new'
    const input = { service: 'https://svc.example', audience: 'https://svc.example', secret }
    await expect(session.import(input)).rejects.toMatchObject({ code })
  }
  expect((await readdir(dir, { recursive: true })).sort()).toEqual(before)
})

test('a whole record put back as it once was opens: a rollback that no key can show', async () => {
  const world = await kept()
  const { auth, at, first } = world
  const dir = await at(kim, first)
  const file = await theFile(dir)
  const text = await readFile(file, 'utf8')
  await auth.as(kim).forget(first)
  expect((await auth.as(kim).list()).find(({ handle }) => handle === first)?.state).toBe(
    'forgotten',
  )
  await unlink(await theFile(dir))
  await writeFile(file, text)
  const back = (await world.open().as(kim).list()).find(({ handle }) => handle === first)
  expect(back?.state).toBe('active')
})
