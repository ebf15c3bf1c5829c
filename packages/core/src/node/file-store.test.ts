import { createHash } from 'node:crypto'
import {
  chmod,
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MasterKey } from '../vault/master-key.ts'
import type { Store } from '../vault/store.ts'
import { fileStore } from './file-store.ts'

const key = new MasterKey(new Uint8Array(32).fill(1))
const other = new MasterKey(new Uint8Array(32).fill(2))
const ref = { kind: 'credential', owner: 'owner-a', id: 'cred_1' } as const
let base = ''
let dir = ''
let store: Store

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'authmd-store-'))
  dir = join(base, 'store')
  store = fileStore({ dir, key })
})

afterEach(() => rm(base, { recursive: true, force: true }))

const at = (...parts: string[]) => join(dir, 'credential', 'owner-a', ...parts)
const reopened = () => fileStore({ dir, key })
const damaged = { code: 'store_damaged' }

async function tree(): Promise<string[]> {
  return (await readdir(base, { recursive: true })).sort()
}

/** What the file says, as text that a test can change and put back under a correct sum. */
function withSum(change: (envelope: Record<string, unknown>) => void, text: string): string {
  const { sum: _, ...envelope } = JSON.parse(text)
  change(envelope)
  const body = JSON.stringify(envelope)
  const sum = createHash('sha256').update(body).digest('base64url')
  return `${body.slice(0, -1)},"sum":"${sum}"}\n`
}

test('what was put is there for another store of the same directory, and encrypted', async () => {
  expect(await store.put({ ...ref, value: 'canary-one', due: 5 }, 0)).toBe(1)
  expect(await store.put({ ...ref, value: 'canary-two', due: 6 }, 1)).toBe(2)
  expect(await reopened().get(ref)).toEqual({ ...ref, value: 'canary-two', due: 6, revision: 2 })
  expect(await readdir(at('cred_1'))).toEqual(['2.json'])
  for (const name of await tree()) {
    const path = join(base, name)
    const isFile = (await stat(path)).isFile()
    expect((await stat(path)).mode & 0o777, name).toBe(isFile ? 0o600 : 0o700)
    if (isFile) expect(await readFile(path, 'utf8')).not.toContain('canary')
  }
})

test('conflicts, deletion and a record made anew', async () => {
  const conflict = { code: 'store_conflict' }
  await store.delete(ref)
  await store.put({ ...ref, value: 'a' }, 0)
  await expect(store.put({ ...ref, value: 'b' }, 0)).rejects.toMatchObject(conflict)
  await expect(store.put({ ...ref, value: 'b' }, 2)).rejects.toMatchObject(conflict)
  await expect(store.delete(ref, 2)).rejects.toMatchObject(conflict)
  await store.put({ ...ref, value: 'b' }, 1)
  await store.delete(ref, 2)
  expect(await store.get(ref)).toBeUndefined()
  expect(await readdir(at('cred_1'))).toEqual(['3.json'])
  expect(await readFile(at('cred_1', '3.json'), 'utf8')).not.toContain('v2.')
  await expect(store.put({ ...ref, value: 'late' }, 2)).rejects.toMatchObject(conflict)
  expect((await store.list({ kind: 'credential' })).records).toEqual([])
  expect(await store.put({ ...ref, value: 'anew' }, 0)).toBe(1)
  expect(await reopened().get(ref)).toMatchObject({ value: 'anew', revision: 1 })
})

test('a deletion is forgotten after a day, and the name can be used again', async () => {
  await store.put({ ...ref, value: 'a' }, 0)
  await store.delete(ref)
  await store.list({ kind: 'credential' })
  expect(await readdir(at('cred_1'))).toEqual(['2.json'])
  const past = new Date(Date.now() - 25 * 3_600_000)
  await utimes(at('cred_1', '2.json'), past, past)
  await store.list({ kind: 'credential' })
  expect(await readdir(at())).toEqual([])
  expect(await store.put({ ...ref, value: 'b' }, 0)).toBe(1)
})

test('list pages by kind, owner and due time', async () => {
  for (const owner of ['a', 'a-b', 'a_b']) {
    for (let i = 0; i < 5; i++) {
      await store.put({ kind: 'consent', owner, id: `c-${i}`, value: `${owner}${i}`, due: i }, 0)
    }
  }
  const seen: string[] = []
  let after: string | undefined
  do {
    const page = await store.list({ kind: 'consent', limit: 4, ...(after ? { after } : {}) })
    seen.push(...page.records.map((it) => it.value))
    after = page.next
  } while (after !== undefined)
  expect(seen).toHaveLength(15)
  expect(new Set(seen).size).toBe(15)
  const some = await store.list({ kind: 'consent', owner: 'a', dueBy: 1 })
  expect(some.records.map((it) => it.value)).toEqual(['a0', 'a1'])
  expect(await store.list({ kind: 'meta' })).toEqual({ records: [], damaged: [] })
})

/** @see smithersai/smithers#661 and google-gemini/gemini-cli#29054 */
test('a file cut anywhere is damage, not absence', async () => {
  await store.put({ ...ref, value: 'x' }, 0)
  const file = at('cred_1', '1.json')
  const whole = await readFile(file)
  for (let length = 0; length < whole.length; length++) {
    await writeFile(file, whole.subarray(0, length))
    await expect(store.get(ref), `${length}`).rejects.toMatchObject(damaged)
    const [name = '', ...more] = await readdir(at('cred_1'))
    expect(name).toMatch(/^1\.json\.damaged-\d{4}-\d\d-\d\dT[\d.-]+Z$/)
    expect(more).toEqual([])
    await unlink(at('cred_1', name))
  }
  await writeFile(file, whole)
  expect(await store.get(ref)).toMatchObject({ value: 'x' })
})

test('every flipped byte, and a file of zeros, is damage', async () => {
  await store.put({ ...ref, value: 'x' }, 0)
  const file = at('cred_1', '1.json')
  const whole = await readFile(file)
  const changed = Array.from(whole, (_, i) => {
    const copy = Uint8Array.from(whole)
    copy[i] = copy[i]! ^ 0x20
    return copy
  })
  const longer = Buffer.concat([whole, Buffer.from('\n')])
  for (const bytes of [...changed, new Uint8Array(whole.length), longer]) {
    await writeFile(file, bytes)
    await expect(store.get(ref)).rejects.toMatchObject(damaged)
    await rm(at('cred_1'), { recursive: true })
    await mkdir(at('cred_1'))
  }
})

/** @see synthetic-sciences/openscience#54 and smithersai/smithers#743 */
test('a damaged record stays damaged until the operator acts, and harms no other', async () => {
  await store.put({ ...ref, value: 'x' }, 0)
  await store.put({ ...ref, id: 'cred_2', value: 'y' }, 0)
  await writeFile(at('cred_1', '1.json'), '{"v":1,')
  const error = await store.get(ref).catch((reason) => reason)
  const [name = ''] = await readdir(at('cred_1'))
  expect(error).toMatchObject({ ...damaged, details: { file: at('cred_1', name) } })
  expect(error.message).toContain(at('cred_1', name))
  const again = reopened()
  for (const expected of [0, 1, 2]) {
    await expect(again.put({ ...ref, value: 'z' }, expected)).rejects.toMatchObject(damaged)
  }
  await expect(again.delete(ref)).rejects.toMatchObject(damaged)
  await expect(again.delete(ref, 1)).rejects.toMatchObject(damaged)
  await expect(again.get(ref)).rejects.toMatchObject(damaged)
  const page = await again.list({ kind: 'credential' })
  expect(page.damaged).toEqual([{ ...ref, ...damaged }])
  expect(page.records.map((it) => it.id)).toEqual(['cred_2'])
  expect(await readFile(at('cred_1', name), 'utf8')).toBe('{"v":1,')
  await unlink(at('cred_1', name))
  expect(await again.put({ ...ref, value: 'new' }, 0)).toBe(1)
})

test('a file from a newer version is named as such and left where it is', async () => {
  await store.put({ ...ref, value: 'x' }, 0)
  await writeFile(at('cred_1', '1.json'), '{"v":2,"anything":true}')
  const put = () => store.put({ ...ref, value: 'y' }, 1)
  for (const call of [() => store.get(ref), put, () => store.delete(ref)]) {
    await expect(call()).rejects.toMatchObject({
      code: 'store_version',
      message: expect.stringContaining('newer version'),
    })
  }
  const page = await store.list({ kind: 'credential' })
  expect(page).toEqual({ records: [], damaged: [{ ...ref, code: 'store_version' }] })
  expect(await readFile(at('cred_1', '1.json'), 'utf8')).toBe('{"v":2,"anything":true}')
})

test('a record copied to another owner, or renamed, does not open', async () => {
  await store.put({ ...ref, value: 'x' }, 0)
  await cp(at(), join(dir, 'credential', 'owner-b'), { recursive: true })
  await expect(store.get({ ...ref, owner: 'owner-b' })).rejects.toMatchObject(damaged)
  await rename(at('cred_1'), at('cred_2'))
  await expect(store.get({ ...ref, id: 'cred_2' })).rejects.toMatchObject(damaged)
  await expect(
    store.put({ ...ref, id: 'cred_2', value: 'over' }, 1),
    'an unreadable record was overwritten',
  ).rejects.toMatchObject(damaged)
  expect((await store.list({ kind: 'credential' })).damaged).toHaveLength(2)
})

test('an old revision put back under a newer name does not open, even with a correct sum', async () => {
  await store.put({ ...ref, value: 'old' }, 0)
  const old = await readFile(at('cred_1', '1.json'), 'utf8')
  await store.put({ ...ref, value: 'new' }, 1)
  await writeFile(at('cred_1', '3.json'), old)
  await expect(store.get(ref)).rejects.toMatchObject(damaged)
  await rm(at('cred_1'), { recursive: true })
  await mkdir(at('cred_1'))
  const forged = withSum((it) => Object.assign(it, { seq: 3, revision: 3 }), old)
  await writeFile(at('cred_1', '3.json'), forged)
  await expect(store.get(ref)).rejects.toMatchObject(damaged)
})

test('another key is refused at the first call of any kind, and nothing is written', async () => {
  await store.put({ ...ref, value: 'x' }, 0)
  const before = await tree()
  const wrong = fileStore({ dir, key: other })
  const code = { code: 'store_wrong_key' }
  await expect(wrong.lease('a', 1000)).rejects.toMatchObject(code)
  await expect(wrong.put({ ...ref, id: 'new', value: 'y' }, 0)).rejects.toMatchObject(code)
  await expect(wrong.get(ref)).rejects.toMatchObject(code)
  await expect(wrong.delete(ref)).rejects.toMatchObject(code)
  await expect(wrong.list({ kind: 'credential' })).rejects.toMatchObject(code)
  expect(await tree()).toEqual(before)
  await unlink(join(dir, 'key-check'))
  await expect(fileStore({ dir, key: other }).get(ref)).rejects.toMatchObject(code)
  expect(await readdir(dir)).toEqual(['credential'])
  expect(await reopened().get(ref)).toMatchObject({ value: 'x' })
})

test('a damaged key check is said, and not replaced', async () => {
  await store.put({ ...ref, value: 'x' }, 0)
  await writeFile(join(dir, 'key-check'), '')
  await expect(reopened().get(ref)).rejects.toMatchObject({
    ...damaged,
    message: expect.stringContaining(join(dir, 'key-check')),
  })
  expect(await readFile(join(dir, 'key-check'), 'utf8')).toBe('')
})

test('no key, no store', async () => {
  for (const missing of [undefined, null, '00'.repeat(32), new Uint8Array(32)]) {
    expect(() => fileStore({ dir, key: missing as unknown as MasterKey })).toThrow(
      expect.objectContaining({ code: 'key_invalid' }),
    )
  }
  const failing = fileStore({ dir, key: Promise.reject(new Error('no key')) })
  await new Promise((done) => setTimeout(done, 5))
  await expect(failing.get(ref)).rejects.toThrow()
  expect(await tree()).toEqual([])
})

test('a directory that others may enter is refused and not changed', async () => {
  await mkdir(dir, { mode: 0o700 })
  for (const mode of [0o755, 0o750, 0o701]) {
    await chmod(dir, mode)
    await expect(reopened().get(ref)).rejects.toMatchObject({
      code: 'store_failed',
      message: expect.stringContaining('chmod 700'),
    })
    expect((await stat(dir)).mode & 0o777).toBe(mode)
  }
  await chmod(dir, 0o700)
  expect(await reopened().get(ref)).toBeUndefined()
})

test('a directory that cannot be is a typed error with its cause', async () => {
  await writeFile(join(base, 'file'), '')
  const error = await fileStore({ dir: join(base, 'file', 'x'), key })
    .get(ref)
    .catch((reason) => reason)
  expect(error).toMatchObject({ code: 'store_failed', cause: { code: 'ENOTDIR' } })
})

test.each([
  ['id', '../../../escaped'],
  ['id', '..'],
  ['id', '/etc/passwd'],
  ['id', 'a/../../b'],
  ['id', 'a\0b'],
  ['id', ''],
  ['id', 'x'.repeat(129)],
  ['owner', '../escaped'],
  ['owner', '.'],
  ['kind', '../escaped'],
])('a hostile %s (%j) never becomes a path', async (part, value) => {
  const bad = { ...ref, [part]: value }
  const code = { code: 'invalid_input' }
  await expect(store.get(bad)).rejects.toMatchObject(code)
  await expect(store.put({ ...bad, value: 'x' }, 0)).rejects.toMatchObject(code)
  await expect(store.delete(bad)).rejects.toMatchObject(code)
  const query = part === 'id' ? { kind: ref.kind, after: `a/${value}` } : { ...bad }
  await expect(store.list(query)).rejects.toMatchObject(code)
  await expect(store.lease('../../escaped', 10)).resolves.toBeDefined()
  expect((await tree()).filter((name) => name.includes('escaped'))).toEqual([])
})

test('a temporary file that was left is removed when it is older than a minute', async () => {
  await store.put({ ...ref, value: 'a' }, 0)
  const [fresh, stale] = [`.tmp-${'a'.repeat(24)}`, `.tmp-${'b'.repeat(24)}`]
  for (const name of [fresh, stale]) await copyFile(at('cred_1', '1.json'), at('cred_1', name))
  const past = new Date(Date.now() - 61_000)
  await utimes(at('cred_1', stale), past, past)
  await store.put({ ...ref, value: 'b' }, 1)
  expect((await readdir(at('cred_1'))).sort()).toEqual([fresh, '2.json'])
})
