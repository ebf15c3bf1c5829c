import { readFile, rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { AuthError } from '../errors.ts'
import { type Keys, keyIdOf, seal, unseal } from '../vault/seal.ts'
import {
  isStoreKey,
  keysOf,
  type ResealReport,
  type SealedStore,
  type StoreKey,
  sealed,
} from '../vault/sealed.ts'
import type {
  DamagedRecord,
  Lease,
  RecordPage,
  RecordQuery,
  RecordRef,
  Store,
  StoreRecord,
} from '../vault/store.ts'
import {
  checkLease,
  checkQuery,
  checkRef,
  checkWrite,
  conflict,
  damagedRecord,
  isRecordName,
  maxSealedBytes,
  recordKinds,
} from '../vault/store-check.ts'
import {
  codeOf,
  createExclusive,
  failed,
  isShared,
  makeDir,
  namesIn,
  syncDir,
  writeTemporary,
} from './file-store-io.ts'
import { takeLease } from './file-store-lease.ts'
import { forget, type Head, readHead, writeNext } from './file-store-record.ts'

/** Where a file store lives, and its key. */
export interface FileStoreOptions {
  /** The directory, for this store alone. Made with mode 0700 when it is missing. */
  readonly dir: string
  /** The key that values are encrypted under; while it is being changed, the new and the previous. */
  readonly key: StoreKey
}

const keyCheck: RecordRef = { kind: 'meta', owner: 'store', id: 'key-check' }

/**
 * A store in a directory, encrypted with AES-256-GCM, safe for several processes of one machine. It wants a
 * local disk (hard links and fsync), not a network share.
 *
 * A write that was acknowledged survives a killed process and a power failure; an interrupted one
 * leaves at most a temporary file, which a later write removes. A damaged file is put aside as
 * `<n>.json.damaged-<time>` and its record stays `store_damaged` until somebody removes that file.
 * The directory must be closed to group and others: a wider one is refused, not changed, since it may
 * be shared on purpose with something else.
 *
 * Throws `AuthError` `key_invalid` when there is no key; every call may throw `store_failed` (the
 * system's error as `cause`), `store_damaged`, `store_version` and, for a directory that was begun with another
 * key, `store_wrong_key`, with nothing written.
 *
 * @example
 * ```ts
 * const store = fileStore({ dir: '.authmd', key: keyFromEnv('AUTHMD_KEY') })
 * ```
 */
export function fileStore(options: FileStoreOptions): SealedStore {
  const { key } = options
  if (!isStoreKey(key)) {
    throw new AuthError('key_invalid', 'fileStore needs a key: keyFromEnv(…) or keyFromFile(…)')
  }
  if (typeof options.dir !== 'string' || options.dir === '') {
    throw new AuthError('invalid_input', 'fileStore needs a directory')
  }
  const root = resolve(options.dir)
  const raw = rawFiles(root)
  const store = sealed(raw, key)
  let opening: Promise<void> | undefined

  function opened(): Promise<void> {
    opening ??= openDirectory(root, raw, key).catch((error) => {
      opening = undefined
      throw failed(error, 'opening the store', root)
    })
    return opening
  }

  return {
    get: async (ref) => opened().then(() => store.get(ref)),
    put: async (record, expected) => opened().then(() => store.put(record, expected)),
    delete: async (ref, expected) => opened().then(() => store.delete(ref, expected)),
    list: async (query) => opened().then(() => store.list(query)),
    lease: async (name, ms) => opened().then(() => store.lease(name, ms)),
    reseal: async () => opened().then(() => resealDirectory(root, store, key)),
  }
}

/** Makes what is missing, and proves that this key is the one the directory was begun with. */
async function openDirectory(root: string, raw: Store, given: StoreKey): Promise<void> {
  const keys = await keysOf(given)
  await makeDir(root)
  if (await isShared(root)) {
    throw new AuthError('store_failed', `the store can be read by others; run: chmod 700 ${root}`)
  }
  const file = keyCheckFile(root)
  let text = await readText(file)
  if (text === undefined) {
    await proveByRecord(raw, keys)
    await createExclusive(file, await seal(keys.current, keyCheck, 1, 'authmd'))
    text = await readText(file)
  }
  try {
    await unseal(keys, keyCheck, 1, text ?? '')
  } catch (error) {
    if (!AuthError.isInstance(error) || error.code === 'key_unavailable') throw error
    const what =
      error.code === 'store_wrong_key'
        ? 'the store was begun with another key, and only that opens it'
        : 'the key check of the store cannot be read'
    throw new AuthError(error.code, `${what}: ${file}`, { cause: error, details: { file } })
  }
}

function keyCheckFile(root: string): string {
  return join(root, 'key-check')
}

/** The key check goes last: as long as records are under a previous key, both keys open the directory. */
async function resealDirectory(
  root: string,
  store: SealedStore,
  given: StoreKey,
): Promise<ResealReport> {
  const report = await store.reseal()
  const { current } = await keysOf(given)
  const file = keyCheckFile(root)
  const text = await readText(file)
  if (report.left > 0 || text === undefined) return report
  if (keyIdOf(keyCheck, text) !== (await current.keyId())) {
    const fresh = await writeTemporary(root, await seal(current, keyCheck, 1, 'authmd'))
    await rename(fresh, file)
    await syncDir(root)
  }
  return report
}

async function readText(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((error) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
}

/** Where the key check was lost: a record that is there must open. */
async function proveByRecord(raw: Store, keys: Keys): Promise<void> {
  for (const kind of recordKinds) {
    const [record] = (await raw.list({ kind, limit: 1 })).records
    if (record !== undefined) await unseal(keys, record, record.revision, record.value)
  }
}

/** The records as files, without encryption. */
function rawFiles(root: string): Store {
  const dirOf = (ref: RecordRef): string => join(root, ref.kind, ref.owner, ref.id)

  async function guarded<T>(what: string, dir: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw failed(error, what, dir)
    }
  }

  return {
    get: (asked) => {
      const ref = checkRef(asked)
      const dir = dirOf(ref)
      return guarded('reading a record', dir, async () => recordOf(ref, await readHead(dir)))
    },

    put: (record, expected) => {
      const ref = checkRef(record)
      checkWrite(record, expected, maxSealedBytes)
      const dir = dirOf(ref)
      return guarded('writing a record', dir, async () => {
        const { value, due } = record
        const revision = expected + 1
        for (;;) {
          const head = await readHead(dir)
          if ((head.live?.revision ?? 0) !== expected) throw conflict(ref)
          if (await writeNext(dir, head, { revision, value, due })) return revision
        }
      })
    },

    delete: (asked, expected) => {
      const ref = checkRef(asked)
      const dir = dirOf(ref)
      return guarded('deleting a record', dir, async () => {
        for (;;) {
          const head = await readHead(dir)
          if (head.live === undefined) return
          if (expected !== undefined && head.live.revision !== expected) throw conflict(ref)
          if (await writeNext(dir, head)) return
        }
      })
    },

    list: (query) => guarded('listing records', root, () => listFiles(root, query)),

    lease: (name: string, ms: number): Promise<Lease | undefined> => {
      checkLease(name, ms)
      return guarded('taking a lease', root, () => takeLease(root, name, ms))
    },
  }
}

function recordOf(ref: RecordRef, head: Head): StoreRecord | undefined {
  if (head.live === undefined) return undefined
  const { revision, value, due } = head.live
  return due === undefined ? { ...ref, revision, value } : { ...ref, revision, value, due }
}

async function* refsIn(root: string, query: RecordQuery): AsyncGenerator<RecordRef> {
  const { kind } = query
  const [afterOwner = '', afterId = ''] = query.after?.split('/') ?? []
  const owners = query.owner === undefined ? await namesIn(join(root, kind)) : [query.owner]
  for (const owner of owners.filter(isRecordName).sort()) {
    if (owner < afterOwner) continue
    for (const id of (await namesIn(join(root, kind, owner))).filter(isRecordName).sort()) {
      if (owner !== afterOwner || id > afterId) yield { kind, owner, id }
    }
  }
}

async function listFiles(root: string, query: RecordQuery): Promise<RecordPage> {
  const limit = checkQuery(query)
  const records: StoreRecord[] = []
  const unreadable: DamagedRecord[] = []
  for await (const ref of refsIn(root, query)) {
    const dir = join(root, ref.kind, ref.owner, ref.id)
    try {
      const head = await readHead(dir)
      const record = recordOf(ref, head)
      if (record === undefined) await forget(dir, head).catch(() => undefined)
      else if (query.dueBy === undefined || (record.due ?? Infinity) <= query.dueBy) {
        records.push(record)
      }
    } catch (error) {
      unreadable.push(damagedRecord(ref, error))
    }
    if (records.length + unreadable.length === limit) {
      return { records, damaged: unreadable, next: `${ref.owner}/${ref.id}` }
    }
  }
  return { records, damaged: unreadable }
}
