import { createHash, randomBytes } from 'node:crypto'
import {
  AuthError,
  checkLease,
  checkQuery,
  checkRef,
  checkWrite,
  conflict,
  maxSealedBytes,
  type RecordKind,
  type RecordRef,
  type Store,
  type StoreRecord,
} from '@authmd/core'
import * as scripts from './scripts.ts'

export type { RedisClient } from './scripts.ts'

export interface RedisStoreOptions {
  /** A connected client or cluster client of `redis`. Give it the time limits of the example. */
  readonly client: scripts.RedisClient
  /** What every key begins with: `authmd` by default. */
  readonly prefix?: string
}

/** Owners or ids that are read at once. */
const chunk = 100

/**
 * Keeps records in Redis 7 or newer, for any number of processes; in a cluster too, where an owner's records
 * lie together. Nothing ever expires but leases, which end by the server's clock. What was acknowledged is as
 * safe as the server keeps it: with `appendonly yes` and `appendfsync always` it survives a crash of the server,
 * with `everysec` the last second may be gone, without either all since the last snapshot. Set
 * `maxmemory-policy noeviction`. Values are kept as they are given: wrap it in `sealed`.
 *
 * Every call throws `AuthError` `store_failed` where the server cannot be asked; `cause` says why.
 *
 * @example
 * ```ts
 * const client = createClient({
 *   url,
 *   commandOptions: { timeout: 5000 },
 *   socket: { socketTimeout: 5000 },
 *   pingInterval: 1000,
 * })
 * client.on('error', report)
 * await client.connect()
 * const store = sealed(redisStore({ client }), keyFromEnv('AUTHMD_KEY'))
 * ```
 */
export function redisStore({ client, prefix = 'authmd' }: RedisStoreOptions): Store {
  if (!/^[A-Za-z0-9_:.-]{1,100}$/.test(prefix)) {
    throw new AuthError('invalid_input', 'prefix: 1 to 100 of A-Z, a-z, 0-9 and _ : . -')
  }
  const recordKey = ({ kind, owner, id }: RecordRef) => `${prefix}:{${owner}}:${kind}:${id}`
  const takenKey = (ref: RecordRef) => `${recordKey(ref)}:taken`
  const idsKey = (kind: RecordKind, owner: string) => `${prefix}:{${owner}}:${kind}`
  const ownersKey = (kind: RecordKind) => `${prefix}:{index}:owners:${kind}`
  const dueKey = (kind: RecordKind) => `${prefix}:{index}:due:${kind}`

  /** Writes and deletes answer alike: whether it was done, and the entry that it made useless. */
  async function settle(ref: RecordRef, answer: unknown): Promise<void> {
    const [done, entry] = answer as [number, string?]
    if (done === 0) throw conflict(ref)
    if (done < 0) throw new AuthError('store_failed', 'the store failed: a write took too long')
    if (entry) {
      await scripts.dropEntry.run(client, [dueKey(ref.kind)], [`${ref.owner}/${ref.id}/${entry}`])
    }
  }

  async function read(ref: RecordRef): Promise<StoreRecord | undefined> {
    const found = await scripts.readRecord.run(client, [recordKey(ref)], [])
    return recordOf(ref, found as Fields)
  }

  function readAll(refs: readonly RecordRef[]): Promise<StoreRecord[]> {
    return Promise.all(refs.map(read)).then((found) => found.flatMap((one) => one ?? []))
  }

  /** Up to `limit` records of one owner, those after `after`. */
  async function ofOwner(
    kind: RecordKind,
    owner: string,
    { after, dueBy, limit }: { after?: string; dueBy?: number | undefined; limit: number },
  ): Promise<StoreRecord[]> {
    const found: StoreRecord[] = []
    for (let from = after === undefined ? '-' : `(${after}`; found.length < limit; ) {
      const many = Math.min(Math.max(limit, 1), chunk)
      const ids = (await scripts.namesFrom.run(
        client,
        [idsKey(kind, owner)],
        [from, `${many}`],
      )) as string[]
      const records = await readAll(ids.map((id) => ({ kind, owner, id })))
      found.push(...records.filter(({ due }) => dueBy === undefined || (due ?? Infinity) <= dueBy))
      if (ids.length < many) break
      from = `(${ids.at(-1)}`
    }
    return found.slice(0, limit)
  }

  /** Up to `limit` records of all owners, in their order. */
  async function ofAll(kind: RecordKind, after: string, limit: number): Promise<StoreRecord[]> {
    const [first = '', id = ''] = after.split('/')
    const found = first === '' ? [] : await ofOwner(kind, first, { after: id, limit })
    for (let from = first === '' ? '-' : `(${first}`; found.length < limit; ) {
      const owners = (await scripts.namesFrom.run(
        client,
        [ownersKey(kind)],
        [from, `${chunk}`],
      )) as string[]
      const each = await Promise.all(owners.map((owner) => ofOwner(kind, owner, { limit })))
      found.push(...each.flat())
      if (owners.length < chunk) break
      from = `(${owners.at(-1)}`
    }
    return found.slice(0, limit)
  }

  /** Up to `limit` due records of all owners, in their order. */
  async function dueOfAll(
    kind: RecordKind,
    dueBy: number,
    after: string,
    limit: number,
  ): Promise<StoreRecord[]> {
    const entries = (await scripts.dueEntries.run(
      client,
      [dueKey(kind)],
      [`${dueBy}`, '0', '-1'],
    )) as string[]
    const names = new Set(entries.map((entry) => entry.split('/').slice(0, 2).join('/')))
    const left = [...names].filter((name) => name > after).sort()
    const found: StoreRecord[] = []
    for (let at = 0; at < left.length && found.length < limit; at += chunk) {
      const refs = left.slice(at, at + chunk).map((name) => {
        const [owner = '', id = ''] = name.split('/')
        return { kind, owner, id }
      })
      found.push(...(await readAll(refs)).filter(({ due }) => (due ?? Infinity) <= dueBy))
    }
    return found.slice(0, limit)
  }

  return {
    async get(asked) {
      return read(checkRef(asked))
    },

    async put(record, expected) {
      const ref = checkRef(record)
      checkWrite(record, expected, maxSealedBytes)
      const { kind, owner, id } = ref
      const due = record.due === undefined ? '' : String(record.due)
      // Entered before it is written: an entry too many is harmless, one too few would never be found.
      const entry =
        expected > 0 && due === ''
          ? ''
          : await scripts.enterRecord.run(
              client,
              [ownersKey(kind), dueKey(kind)],
              [owner, id, due, randomBytes(9).toString('base64url')],
            )
      const answer = await scripts.writeRecord.run(
        client,
        [recordKey(ref), idsKey(kind, owner), takenKey(ref)],
        [String(expected), id, record.value, due, String(entry)],
      )
      await settle(ref, answer)
      return expected + 1
    },

    async delete(asked, expected) {
      const ref = checkRef(asked)
      const keys = [recordKey(ref), idsKey(ref.kind, ref.owner), takenKey(ref)]
      const wanted = expected === undefined ? '' : String(expected)
      await settle(ref, await scripts.deleteRecord.run(client, keys, [wanted, ref.id]))
    },

    async list(query) {
      const limit = checkQuery(query)
      const { kind, owner, dueBy, after = '' } = query
      const many = limit + 1
      let found: StoreRecord[]
      if (owner !== undefined) {
        const id = after.split('/')[1]
        found = await ofOwner(kind, owner, { dueBy, limit: many, ...(id ? { after: id } : {}) })
      } else if (dueBy === undefined) found = await ofAll(kind, after, many)
      else found = await dueOfAll(kind, dueBy, after, many)
      const records = found.slice(0, limit)
      const last = records.at(-1)
      if (last === undefined || found.length <= limit) return { records, damaged: [] }
      return { records, damaged: [], next: `${last.owner}/${last.id}` }
    },

    async takeDue({ kind, dueBy, limit = 100 }, ms) {
      checkQuery({ kind, dueBy, limit })
      checkLease('due', ms)
      const records: StoreRecord[] = []
      for (let offset = 0; records.length < limit; ) {
        const asked = [`${dueBy}`, `${offset}`, `${limit - records.length}`]
        const entries = (await scripts.dueEntries.run(client, [dueKey(kind)], asked)) as string[]
        if (entries.length === 0) break
        for (const member of entries) {
          const [owner = '', id = '', entry = ''] = member.split('/')
          const ref = { kind, owner, id }
          const keys = [recordKey(ref), takenKey(ref)]
          const answer = await scripts.takeRecord.run(client, keys, [entry, `${ms}`])
          const record = Array.isArray(answer)
            ? recordOf(ref, answer as unknown as Fields)
            : undefined
          if (record) records.push(record)
          if (answer === 2) await scripts.dropEntry.run(client, [dueKey(kind)], [member])
          else offset++
        }
      }
      return { records, damaged: [] }
    },

    async lease(name, ms) {
      checkLease(name, ms)
      const hash = createHash('sha256').update(name).digest('base64url')
      const key = `${prefix}:lease:{${hash}}`
      const asked = Date.now()
      const token = await scripts.takeLease.run(client, [key], [`${ms}`])
      if (typeof token !== 'string') return undefined
      return {
        token: Number(token),
        expires: asked + ms,
        async release() {
          await scripts.releaseLease.run(client, [key], [token])
        },
      }
    },
  }
}

/** Revision, value and due, as a script gives them. */
type Fields = readonly [string | null, string | null, string | null]

function recordOf(ref: RecordRef, [revision, value, due]: Fields): StoreRecord | undefined {
  if (revision === null) return undefined
  const record = { ...ref, revision: Number(revision), value: value ?? '' }
  return Object.freeze(due ? { ...record, due: Number(due) } : record)
}
