import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { AuthError } from '../src/errors.ts'
import { fileStore } from '../src/node/file-store.ts'
import { MasterKey } from '../src/vault/master-key.ts'
import { check, target } from './target.ts'

const key = new MasterKey(new Uint8Array(32).fill(7))
const ids = ['one', 'two'] as const
const refOf = (id: number) =>
  ({ kind: 'credential', owner: 'owner', id: ids[id % 2] ?? 'one' }) as const

/** What a stopped process, or a disk that lost the end of a file, leaves behind. */
const crashes = ['temporary', 'linked', 'cut', 'cut-alone', 'swapped', 'cut-key-check'] as const

/** After a write that was cut off anywhere, a record is the old one, the new one, or an error. */
export const fileStoreTarget = target({
  name: 'file-store',
  runsInTest: 10,
  arbitrary: fc.record({
    writes: fc.array(
      fc.record({ id: fc.nat({ max: 1 }), value: fc.option(fc.string({ maxLength: 40 })) }),
      { minLength: 1, maxLength: 4 },
    ),
    crash: fc.constantFrom(...crashes),
    /** How much of the file is there, of a thousand. */
    share: fc.integer({ min: 0, max: 999 }),
  }),
  async property({ writes, crash, share }) {
    const root = await mkdtemp(join(tmpdir(), 'authmd-fuzz-'))
    try {
      await tried(root, writes, crash, share)
    } finally {
      await rm(root, { recursive: true, force: true })
    }
  },
})

interface Write {
  readonly id: number
  /** Null deletes. */
  readonly value: string | null
}

async function tried(
  root: string,
  writes: readonly Write[],
  crash: (typeof crashes)[number],
  share: number,
): Promise<void> {
  const held: (string | undefined)[] = [undefined, undefined]
  const before: (string | undefined)[] = [undefined, undefined]
  const store = fileStore({ dir: root, key })
  const dirOf = (id: number) => join(root, 'credential', 'owner', ids[id % 2] ?? 'one')
  const last = writes.at(-1)?.id ?? 0
  let saved: { name: string; text: string } | undefined
  for (const { id, value } of writes) {
    saved = id === last ? await newest(dirOf(id)) : saved
    before[id] = held[id]
    const known = await store.get(refOf(id))
    if (value === null) await store.delete(refOf(id))
    else await store.put({ ...refOf(id), value }, known?.revision ?? 0)
    held[id] = value ?? undefined
  }
  const written = await newest(dirOf(last))
  if (written === undefined) return
  const part = written.text.slice(0, Math.floor((written.text.length * share) / 1000))
  const file = join(dirOf(last), written.name)
  if (crash === 'temporary') {
    await rm(file)
    await writeFile(join(dirOf(last), `.tmp-${'0f'.repeat(12)}`), part)
  } else if (crash === 'cut' || crash === 'cut-alone') await writeFile(file, part)
  else if (crash === 'swapped') {
    const other = await newest(dirOf(1 - last))
    if (other === undefined || held[1 - last] === undefined) return
    await copyFile(join(dirOf(1 - last), other.name), join(dirOf(last), other.name))
    if (other.name !== written.name) await rm(file)
  } else if (crash === 'cut-key-check') {
    const check = join(root, 'key-check')
    await writeFile(check, (await readFile(check, 'utf8')).slice(0, share % 40))
  }
  if (crash !== 'cut-alone' && crash !== 'swapped' && saved && saved.name !== written.name) {
    await writeFile(join(dirOf(last), saved.name), saved.text)
  }

  // Twice: what is damaged stays so. The first look puts it aside.
  for (let look = 0; look < 2; look++) {
    const found = await readBack(root, last)
    const allowed: (string | undefined)[] =
      crash === 'temporary'
        ? [saved === undefined ? undefined : before[last]]
        : crash === 'linked'
          ? [held[last]]
          : []
    const told = found === 'damaged' && !['temporary', 'linked'].includes(crash)
    const good = found !== 'damaged' && allowed.includes(found.value)
    check(told || good, `after ${crash} it is another record:`, found, held, before)
    if (crash === 'cut-key-check') continue
    const other = await readBack(root, 1 - last)
    const same = other !== 'damaged' && other.value === held[1 - last]
    check(same, `after ${crash} the other record is another:`, other, held)
  }
}

async function newest(dir: string): Promise<{ name: string; text: string } | undefined> {
  const names = await readdir(dir).catch(() => [])
  const steps = names.filter((name) => /^\d+\.json$/.test(name))
  const name = steps.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)).at(-1)
  return name === undefined ? undefined : { name, text: await readFile(join(dir, name), 'utf8') }
}

async function readBack(
  root: string,
  id: number,
): Promise<'damaged' | { readonly value: string | undefined }> {
  try {
    return { value: (await fileStore({ dir: root, key }).get(refOf(id)))?.value }
  } catch (error) {
    if (AuthError.isInstance(error) && error.code === 'store_damaged') return 'damaged'
    throw error
  }
}
