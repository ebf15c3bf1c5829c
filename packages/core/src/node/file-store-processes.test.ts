import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MasterKey } from '../vault/master-key.ts'
import { fileStore } from './file-store.ts'

const key = new MasterKey(new Uint8Array(32).fill(1))
const ref = { kind: 'credential', owner: 'owner-a', id: 'counter' } as const
const children: ChildProcess[] = []
let dir = ''

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'authmd-processes-'))
})

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await rm(dir, { recursive: true, force: true })
})

const prelude = `
  const { fileStore } = await import(${JSON.stringify(new URL('./file-store.ts', import.meta.url))})
  const { MasterKey } = await import(${JSON.stringify(new URL('../vault/master-key.ts', import.meta.url))})
  const key = new MasterKey(new Uint8Array(32).fill(1))
  const store = fileStore({ dir: process.argv[1], key })
  const ref = ${JSON.stringify(ref)}
  const say = (text) => require('node:fs').writeSync(1, text + '\\n')
`

/** Runs a script in a process of its own, with a store on the same directory. */
function start(script: string, shell = ''): { child: ChildProcess; lines: AsyncIterator<string> } {
  const code = `import { createRequire } from 'node:module'
    const require = createRequire(import.meta.url)
    ${prelude}${script}`
  const args = ['--no-warnings', '--input-type=module', '-e', code, dir]
  const env = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'authmd-processes-cache') }
  const options: SpawnOptions = { env, stdio: ['ignore', 'pipe', 'inherit'] }
  const child =
    shell === ''
      ? spawn(process.execPath, args, options)
      : spawn('bash', ['-c', `${shell}; exec "$0" "$@"`, process.execPath, ...args], options)
  children.push(child)
  return { child, lines: createInterface({ input: child.stdout! })[Symbol.asyncIterator]() }
}

async function all(lines: AsyncIterator<string>): Promise<string[]> {
  const out: string[] = []
  for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
    out.push(line.value)
  }
  return out
}

const increment = `
  for (let done = 0; done < 40; ) {
    const now = await store.get(ref)
    try {
      await store.put({ ...ref, value: String(Number(now?.value ?? 0) + 1) }, now?.revision ?? 0)
      done++
    } catch (error) {
      if (error.code !== 'store_conflict') throw error
    }
  }
  say('done')
`

test('three processes count together and lose nothing', async () => {
  const runs = [start(increment), start(increment), start(increment)]
  for (const { lines } of runs) expect(await all(lines)).toEqual(['done'])
  const store = fileStore({ dir, key })
  expect(await store.get(ref)).toMatchObject({ value: '120', revision: 120 })
  const files = await readdir(join(dir, 'credential', 'owner-a', 'counter'))
  expect(files).toContain('120.json')
  expect(files.filter((name) => name.startsWith('.tmp-'))).toEqual([])
})

test('of processes that create the same record exactly one wins', async () => {
  const create = `
    for (let i = 0; i < 40; i++) {
      const won = await store.put({ ...ref, id: 'r' + i, value: String(process.pid) }, 0)
        .then(() => 1, (error) => { if (error.code !== 'store_conflict') throw error; return 0 })
      if (won) say('r' + i + ' ' + process.pid)
    }`
  const runs = [start(create), start(create)]
  const won = (await Promise.all(runs.map((it) => all(it.lines)))).flat()
  expect(won).toHaveLength(40)
  const store = fileStore({ dir, key })
  for (const [id = '', pid] of won.map((line) => line.split(' '))) {
    expect(await store.get({ ...ref, id })).toMatchObject({ value: pid, revision: 1 })
  }
})

test('writers and deleters together: what is there is what the last of them left', async () => {
  const churn = `
    for (let i = 0; i < 60; i++) {
      const now = await store.get(ref)
      const step = now === undefined
        ? store.put({ ...ref, value: 'born' }, 0).then(() => say('+'))
        : store.delete(ref, now.revision).then(() => say('-'))
      await step.catch((error) => { if (error.code !== 'store_conflict') throw error })
    }`
  const runs = [start(churn), start(churn)]
  const marks = (await Promise.all(runs.map((it) => all(it.lines)))).flat()
  const births = marks.filter((it) => it === '+').length
  const deaths = marks.length - births
  // A deletion that came second because the record is gone is no error, so deaths may exceed births.
  const alive = (await fileStore({ dir, key }).get(ref)) !== undefined
  expect(births).toBeGreaterThan(0)
  expect(births - deaths).toBeLessThanOrEqual(alive ? 1 : 0)
  expect(await fileStore({ dir, key }).list({ kind: 'credential' })).toMatchObject({ damaged: [] })
})

test('a process killed in mid-write loses nothing that it acknowledged', async () => {
  const write = `
    const now = await store.get(ref)
    let revision = now?.revision ?? 0
    for (;;) {
      revision = await store.put({ ...ref, value: 'v' + (revision + 1) }, revision)
      say(String(revision))
    }`
  let revision = 0
  for (let round = 0; round < 5; round++) {
    const { child, lines } = start(write)
    for (let seen = 0; seen < 3; seen++) {
      expect(Number((await lines.next()).value)).toBe(++revision)
    }
    await new Promise((done) => setTimeout(done, round * 15))
    child.kill('SIGKILL')
    const acknowledged = Number((await all(lines)).at(-1) ?? revision)
    const kept = await fileStore({ dir, key }).get(ref)
    // One write may have come to the disk whose line was not said any more.
    expect(kept?.revision).toBeGreaterThanOrEqual(acknowledged)
    expect(kept?.revision).toBeLessThanOrEqual(acknowledged + 1)
    expect(kept?.value).toBe(`v${kept?.revision}`)
    revision = kept!.revision
  }
})

test('a lease is held across processes, and free at once when its holder is killed', async () => {
  const { child, lines } = start(`
    const lease = await store.lease('refresh', 600000)
    say(String(lease.token))
    setInterval(() => {}, 1000)`)
  const first = Number((await lines.next()).value)
  const store = fileStore({ dir, key })
  expect(await store.lease('refresh', 1000)).toBeUndefined()
  expect(await store.lease('another', 1000)).toBeDefined()
  const closed = new Promise((done) => child.once('exit', done))
  child.kill('SIGKILL')
  await closed
  const lease = await store.lease('refresh', 1000)
  expect(lease?.token).toBeGreaterThan(first)
})

test('a lease is given back early, ends by itself, and a late release harms nobody', async () => {
  const store = fileStore({ dir, key })
  const first = await store.lease('name', 60_000)
  await first?.release()
  const second = await store.lease('name', 1_500)
  expect(second?.token).toBeGreaterThan(first!.token)
  expect(await store.lease('name', 1_500)).toBeUndefined()
  await new Promise((done) => setTimeout(done, second!.expires - Date.now() + 1))
  const third = await store.lease('name', 60_000)
  expect(third?.token).toBeGreaterThan(second!.token)
  await second?.release()
  await first?.release()
  expect(await store.lease('name', 1000)).toBeUndefined()
})

test('of two processes that ask for a lease at once one gets it', async () => {
  const ask = `
    for (let i = 0; i < 25; i++) if (await store.lease('n' + i, 600000)) say('n' + i)
    say('end')
    setInterval(() => {}, 1000)`
  const runs = [start(ask), start(ask), start(ask)]
  const won: string[] = []
  for (const { lines } of runs) {
    for (let line = await lines.next(); line.value !== 'end'; line = await lines.next()) {
      won.push(line.value)
    }
  }
  expect(won.sort()).toEqual(Array.from({ length: 25 }, (_, i) => `n${i}`).sort())
})

/** @see openclaw#88028: a disk that is full in the middle of a write. */
test('a write that does not fit is a typed error, and what was there stays', async () => {
  const store = fileStore({ dir, key })
  await store.put({ ...ref, value: 'before' }, 0)
  const script = `
    const value = 'x'.repeat(100000)
    for (const write of [
      () => store.put({ ...ref, value }, 1),
      () => store.put({ ...ref, id: 'fresh', value }, 0),
    ]) await write().then(() => say('written'), (error) => say(error.code + ' ' + error.cause.code))
    say((await store.get(ref)).value)`
  // A limit on the size of files: the system stops the write in the middle, as a full disk does.
  const { lines } = start(script, 'ulimit -f 8')
  expect(await all(lines)).toEqual(['store_failed EFBIG', 'store_failed EFBIG', 'before'])
  const files = await readdir(dir, { recursive: true })
  expect(files.filter((name) => name.includes('.tmp-'))).toEqual([])
  expect(await store.get({ ...ref, id: 'fresh' })).toBeUndefined()
  expect(await store.put({ ...ref, value: 'after' }, 1)).toBe(2)
})
