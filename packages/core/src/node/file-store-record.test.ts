import type { PathLike } from 'node:fs'
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { forget, type Head, readHead, writeNext } from './file-store-record.ts'

// Other processes act at the worst moments: just before and just after a step is linked to its number.
const at = vi.hoisted(() => ({ before: async () => {}, after: async () => {} }))

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>()
  const link = async (from: PathLike, to: PathLike) => {
    const { before, after } = at
    at.before = async () => {}
    at.after = async () => {}
    await before()
    await real.link(from, to)
    await after()
  }
  return { ...real, link }
})

let dir = ''

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'authmd-record-'))
})

afterEach(() => rm(dir, { recursive: true, force: true }))

async function write(head: Head): Promise<boolean> {
  const revision = (head.live?.revision ?? 0) + 1
  return writeNext(dir, head, { revision, value: `v${revision}` })
}

async function others(steps: number): Promise<void> {
  for (let i = 0; i < steps; i++) expect(await write(await readHead(dir))).toBe(true)
}

test('a write that others have already built upon counts', async () => {
  for (const steps of [1, 2, 31]) {
    const head = await readHead(dir)
    at.after = () => others(steps)
    expect(await write(head)).toBe(true)
    expect((await readHead(dir)).live?.revision).toBe((head.live?.revision ?? 0) + steps + 1)
  }
})

test('a write to a number that was used and removed meanwhile does not count', async () => {
  for (const steps of [2, 3, 30]) {
    await others(1)
    const head = await readHead(dir)
    at.before = () => others(steps)
    expect(await write(head)).toBe(false)
    const now = await readHead(dir)
    expect(now.live?.revision).toBe(head.live!.revision + steps)
    expect(await readdir(dir)).toEqual([`${now.seq}.json`])
  }
})

test('a write that was overtaken too often to tell is in doubt', async () => {
  await others(1)
  const head = await readHead(dir)
  at.after = () => others(40)
  await expect(write(head)).rejects.toMatchObject({
    code: 'store_failed',
    message: expect.stringContaining('unknown'),
  })
})

test('a late writer cannot bring a deleted record back', async () => {
  await others(3)
  const head = await readHead(dir)
  at.before = async () => {
    const now = await readHead(dir)
    expect(await writeNext(dir, now)).toBe(true)
    const past = new Date(Date.now() - 48 * 3_600_000)
    await utimes(join(dir, `${now.seq + 1}.json`), past, past)
    await forget(dir, await readHead(dir))
  }
  expect(await write(head)).toBe(false)
  expect((await readHead(dir)).live).toBeUndefined()
  await forget(dir, await readHead(dir))
  await expect(readdir(dir)).rejects.toMatchObject({ code: 'ENOENT' })
  let linked = false
  at.before = async () => {
    linked = true
  }
  expect(await write(head)).toBe(false)
  expect(linked).toBe(false)
  expect((await readHead(dir)).live).toBeUndefined()
})
