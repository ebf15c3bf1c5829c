import { createHash } from 'node:crypto'
import {
  AuthError,
  checkLease,
  checkQuery,
  checkRef,
  checkWrite,
  conflict,
  maxSealedBytes,
  type RecordRef,
  type Store,
  type StoreRecord,
} from '@authmd/core'
import { migration, quoted } from './migration.ts'

/** What is needed of a `pg.Pool`, which is one. Each query may go over another connection. */
export interface Database {
  query(
    text: string,
    values?: unknown[],
  ): Promise<{ rows: Record<string, unknown>[]; rowCount: number | null }>
}

export interface PostgresStoreOptions {
  /** A `pg.Pool`; its limits and time-outs are the application's. A pooler in transaction mode will do. */
  readonly pool: Database
  /** Where the tables are: `authmd` by default. */
  readonly schema?: string
}

/** A store in PostgreSQL. */
export interface PostgresStore extends Store {
  /**
   * Makes the tables where they are not; safe to run again, and from many processes at once. Removes the
   * rows of leases that ended more than a day ago. Throws `AuthError` `store_failed`.
   */
  migrate(): Promise<void>
}

/**
 * Keeps records in PostgreSQL 12 or newer, for any number of processes. What was acknowledged is as safe as
 * the server's `synchronous_commit` makes it. Leases end by the server's clock. Values are kept as they are
 * given: wrap it in `sealed`.
 *
 * Every call throws `AuthError` `store_failed` where the server cannot be asked; `cause` says why.
 *
 * @example
 * ```ts
 * const pool = new Pool({ connectionString, query_timeout: 5000, connectionTimeoutMillis: 5000 })
 * pool.on('error', report)
 * const records = postgresStore({ pool })
 * await records.migrate()
 * const auth = createAgentAuth({ store: sealed(records, keyFromEnv('AUTHMD_KEY')) })
 * ```
 */
export function postgresStore({ pool, schema = 'authmd' }: PostgresStoreOptions): PostgresStore {
  const records = `${quoted(schema)}.records`
  const leases = `${quoted(schema)}.leases`

  async function ask(text: string, values?: unknown[]): Promise<Record<string, unknown>[]> {
    try {
      return (await pool.query(text, values)).rows
    } catch (cause) {
      const missing = (cause as { code?: unknown }).code === '42P01'
      const why = missing ? 'its tables are not there: run migrate()' : 'PostgreSQL did not answer'
      throw new AuthError('store_failed', `the store failed: ${why}`, { cause })
    }
  }

  return {
    async migrate() {
      await ask(migration(schema))
    },

    async get(asked) {
      const { kind, owner, id } = checkRef(asked)
      const [row] = await ask(
        `select kind, owner, id, revision, value, due from ${records}
         where kind = $1 and owner = $2 and id = $3`,
        [kind, owner, id],
      )
      return row === undefined ? undefined : recordOf(row)
    },

    async put(record, expected) {
      const ref = checkRef(record)
      checkWrite(record, expected, maxSealedBytes)
      const { kind, owner, id } = ref
      const value = Buffer.from(record.value, 'utf8')
      const values = [kind, owner, id, value, record.due ?? null]
      const rows =
        expected === 0
          ? await ask(
              `insert into ${records} (kind, owner, id, revision, value, due)
               values ($1, $2, $3, 1, $4, $5) on conflict do nothing returning revision`,
              values,
            )
          : await ask(
              `update ${records}
               set revision = revision + 1, value = $4, due = $5, taken_until = null
               where kind = $1 and owner = $2 and id = $3 and revision = $6 returning revision`,
              [...values, expected],
            )
      if (rows.length === 0) throw conflict(ref)
      return expected + 1
    },

    async delete(asked, expected) {
      const ref = checkRef(asked)
      const [found] = await ask(
        `with gone as (
           delete from ${records} where kind = $1 and owner = $2 and id = $3
           and ($4::bigint is null or revision = $4) returning 1
         )
         select exists (select from gone) as gone, exists (
           select from ${records} where kind = $1 and owner = $2 and id = $3
         ) as there`,
        [ref.kind, ref.owner, ref.id, expected ?? null],
      )
      if (found?.there === true && found.gone !== true) throw conflict(ref)
    },

    async list(query) {
      const limit = checkQuery(query)
      const { kind, owner, dueBy, after } = query
      const values: unknown[] = [kind]
      const next = (value: unknown) => `$${values.push(value)}`
      const conditions = ['kind = $1']
      if (owner !== undefined) conditions.push(`owner = ${next(owner)}`)
      if (dueBy !== undefined) conditions.push(`due <= ${next(dueBy)}`)
      if (after !== undefined) {
        const [afterOwner, afterId] = after.split('/')
        conditions.push(`(owner, id) > (${next(afterOwner)}, ${next(afterId)})`)
      }
      const rows = await ask(
        `select kind, owner, id, revision, value, due from ${records}
         where ${conditions.join(' and ')} order by owner, id limit ${next(limit + 1)}`,
        values,
      )
      const page = rows.slice(0, limit).map(recordOf)
      const last = page.at(-1)
      if (last === undefined || rows.length <= limit) return { records: page, damaged: [] }
      return { records: page, damaged: [], next: `${last.owner}/${last.id}` }
    },

    async takeDue({ kind, dueBy, limit = 100 }, ms) {
      checkQuery({ kind, dueBy, limit })
      checkLease('due', ms)
      const rows = await ask(
        `with due as (
           select kind, owner, id from ${records}
           where kind = $1 and due <= $2
           and (taken_until is null or taken_until <= clock_timestamp())
           order by due limit $3 for update skip locked
         )
         update ${records} as one set taken_until = clock_timestamp() + ${interval('$4')}
         from due where one.kind = due.kind and one.owner = due.owner and one.id = due.id
         returning one.kind, one.owner, one.id, one.revision, one.value, one.due`,
        [kind, dueBy, limit, ms],
      )
      return { records: rows.map(recordOf), damaged: [] }
    },

    async lease(name, ms) {
      checkLease(name, ms)
      const key = createHash('sha256').update(name).digest()
      const asked = Date.now()
      // The first token is a time, so that it is greater than those before a row was removed.
      const [row] = await ask(
        `insert into ${leases} as held (name, token, expires)
         values ($1, (extract(epoch from clock_timestamp()) * 1000000)::bigint,
           clock_timestamp() + ${interval('$2')})
         on conflict (name) do update
         set token = held.token + 1, expires = clock_timestamp() + ${interval('$2')}
         where held.expires <= clock_timestamp()
         returning token`,
        [key, ms],
      )
      if (row === undefined) return undefined
      const token = Number(row.token)
      return {
        token,
        expires: asked + ms,
        async release() {
          await ask(`update ${leases} set expires = '-infinity' where name = $1 and token = $2`, [
            key,
            token,
          ])
        },
      }
    },
  }
}

function interval(ms: string): string {
  return `${ms}::double precision * interval '1 millisecond'`
}

/** A row, which no schema can be wrong about: the table's columns are typed and not null. */
function recordOf(row: Record<string, unknown>): StoreRecord {
  const { kind, owner, id } = row as unknown as RecordRef
  const { revision, value, due } = row as { revision: string; value: Buffer; due: string | null }
  const record = { kind, owner, id, revision: Number(revision), value: value.toString('utf8') }
  return Object.freeze(due === null ? record : { ...record, due: Number(due) })
}
