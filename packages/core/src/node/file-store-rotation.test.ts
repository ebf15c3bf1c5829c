import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MasterKey } from '../vault/master-key.ts'
import type { SealedStore } from '../vault/sealed.ts'
import { fileStore } from './file-store.ts'

const old = new MasterKey(new Uint8Array(32).fill(1))
const fresh = new MasterKey(new Uint8Array(32).fill(2))
const both = { current: fresh, previous: [old] }
const refs = Array.from({ length: 60 }, (_, at) => {
  return { kind: 'credential', owner: `owner-${at % 3}`, id: `cred_${at}` } as const
})
const children: ChildProcess[] = []
let dir = ''

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'authmd-rotation-'))
})

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await rm(dir, { recursive: true, force: true })
})

const wrongKey = { code: 'store_wrong_key' }

async function fill(): Promise<void> {
  const store = fileStore({ dir, key: old })
  for (const one of refs) await store.put({ ...one, value: `value of ${one.id}`, due: 7 }, 0)
}

async function expectAll(store: SealedStore): Promise<void> {
  for (const one of refs) {
    const record = { ...one, value: `value of ${one.id}`, due: 7, revision: 1 }
    expect(await store.get(one)).toEqual(record)
  }
}

/** How many records open with the new key alone; with the key check out of the way. */
async function underFresh(): Promise<number> {
  const check = join(dir, 'key-check')
  const kept = await readFile(check)
  await unlink(check)
  const probe = fileStore({ dir, key: both })
  await probe.get(refs[0]!)
  const alone = fileStore({ dir, key: fresh })
  const page = await alone.list({ kind: 'credential' })
  await writeFile(check, kept)
  return page.records.length
}

/** Reseals in a process of its own, which says when it is about to write each record. */
function resealing(): { child: ChildProcess; lines: AsyncIterator<string> } {
  const at = (file: string) => JSON.stringify(new URL(file, import.meta.url))
  const code = `
    const { fileStore } = await import(${at('./file-store.ts')})
    const { MasterKey } = await import(${at('../vault/master-key.ts')})
    const { writeSync } = await import('node:fs')
    const key = (fill) => new MasterKey(new Uint8Array(32).fill(fill))
    const fresh = key(2)
    let count = 0
    const current = {
      keyId: () => fresh.keyId(),
      wrap: (dataKey, context) => {
        writeSync(1, ++count + '\\n')
        return fresh.wrap(dataKey, context)
      },
      unwrap: (wrapped, context) => fresh.unwrap(wrapped, context),
    }
    const store = fileStore({ dir: process.argv[1], key: { current, previous: [key(1)] } })
    writeSync(1, JSON.stringify(await store.reseal()) + '\\n')`
  const args = ['--no-warnings', '--input-type=module', '-e', code, dir]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  return { child, lines: createInterface({ input: child.stdout! })[Symbol.asyncIterator]() }
}

async function lineNumber(lines: AsyncIterator<string>, wanted: number): Promise<void> {
  for (let seen = 0; seen < wanted; seen++) expect((await lines.next()).done).not.toBe(true)
}

async function lastLine(lines: AsyncIterator<string>): Promise<string> {
  let last = ''
  for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
    last = line.value
  }
  return last
}

test('resealing is killed again and again: at no time is anything unreadable', async () => {
  await fill()
  const counts: number[] = []
  for (const at of [1, 7, 15]) {
    const { child, lines } = resealing()
    await lineNumber(lines, at)
    child.kill('SIGKILL')
    await new Promise((done) => child.once('close', done))
    counts.push(await underFresh())
    await expectAll(fileStore({ dir, key: both }))
    await expect(fileStore({ dir, key: fresh }).get(refs[0]!)).rejects.toMatchObject(wrongKey)
  }
  expect(counts).toEqual(counts.toSorted((a, b) => a - b))
  const [first = 0, , last = 0] = counts
  expect(first).toBeLessThan(last)
  expect(last).toBeLessThan(refs.length)
  const report = await fileStore({ dir, key: both }).reseal()
  expect(report).toEqual({ resealed: refs.length - last, left: 0, damaged: [] })
  await expectAll(fileStore({ dir, key: fresh }))
  await expect(fileStore({ dir, key: old }).get(refs[0]!)).rejects.toMatchObject(wrongKey)
})

test('two processes reseal at once while a third reads', async () => {
  await fill()
  const runs = [resealing(), resealing()]
  await lineNumber(runs[0]!.lines, 5)
  await expectAll(fileStore({ dir, key: both }))
  const reports = await Promise.all(
    runs.map(async ({ lines }) => JSON.parse(await lastLine(lines)) as { resealed: number }),
  )
  expect(reports).toMatchObject([
    { left: 0, damaged: [] },
    { left: 0, damaged: [] },
  ])
  expect(reports.reduce((sum, { resealed }) => sum + resealed, 0)).toBe(refs.length)
  await expectAll(fileStore({ dir, key: fresh }))
})

test('the key check is brought under the new key last, when nothing is left', async () => {
  const [one] = refs
  await fileStore({ dir, key: old }).put({ ...one!, value: 'x' }, 0)
  const before = await readFile(join(dir, 'key-check'), 'utf8')
  expect(await fileStore({ dir, key: both }).get(one!)).toMatchObject({ value: 'x' })
  expect(await readFile(join(dir, 'key-check'), 'utf8')).toBe(before)
  await expect(fileStore({ dir, key: fresh }).reseal()).rejects.toMatchObject(wrongKey)
  await fileStore({ dir, key: both }).reseal()
  expect(await readFile(join(dir, 'key-check'), 'utf8')).not.toBe(before)
  expect(await fileStore({ dir, key: fresh }).get(one!)).toMatchObject({ value: 'x' })
  expect(await fileStore({ dir, key: both }).reseal()).toMatchObject({ resealed: 0, left: 0 })
})

test('a directory that is begun while the key is changed is under the new one', async () => {
  await fileStore({ dir, key: both }).put({ ...refs[0]!, value: 'x' }, 0)
  expect(await fileStore({ dir, key: fresh }).get(refs[0]!)).toMatchObject({ value: 'x' })
})

test('a damaged file is reported by resealing, kept, and stops nothing', async () => {
  await fill()
  const file = join(dir, 'credential', refs[4]!.owner, refs[4]!.id, '1.json')
  await writeFile(file, '{"v":1,')
  const report = await fileStore({ dir, key: both }).reseal()
  const damaged = [{ ...refs[4], code: 'store_damaged' }]
  expect(report).toEqual({ resealed: refs.length - 1, left: 0, damaged })
  expect(await fileStore({ dir, key: fresh }).get(refs[5]!)).toMatchObject({ due: 7 })
})

test('what is no key or set of keys is refused at once', () => {
  const bad = [{ current: fresh }, { previous: [old] }, { current: fresh, previous: old }, {}]
  for (const key of bad) {
    expect(() => fileStore({ dir, key: key as never })).toThrow(
      expect.objectContaining({ code: 'key_invalid' }),
    )
  }
})

test('a key among the previous ones that cannot be had is the error of the first call', async () => {
  const previous = [Promise.reject(new Error('no such file'))]
  const store = fileStore({ dir, key: { current: fresh, previous } })
  await new Promise((done) => setTimeout(done, 5))
  await expect(store.get(refs[0]!)).rejects.toMatchObject({ code: 'store_failed' })
})
