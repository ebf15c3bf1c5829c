import type { Adapter, AdapterPayload } from 'oidc-provider'
import type { SandboxClock } from '../clock.ts'
import type { Ledger, SecretKind } from '../ledger.ts'
import type { LogEntry } from '../log.ts'

const kinds: Readonly<Record<string, SecretKind>> = {
  AccessToken: 'access_token',
  ClientCredentials: 'access_token',
  RefreshToken: 'refresh_token',
  AuthorizationCode: 'authorization_code',
  DeviceCode: 'device_code',
  RegistrationAccessToken: 'registration_access_token',
}

/** What is forgotten when the ceremony is over, like a challenge, is no effect. */
const passing = new Set(['AuthorizationCode', 'DeviceCode', 'Interaction', 'Session'])

/** Used up is over, so they are not also revoked. */
const oneTime: ReadonlySet<SecretKind> = new Set(['authorization_code', 'device_code', 'user_code'])

/** A user code as the person sees it. */
const shown = (code: string) => `${code.slice(0, 4)}-${code.slice(4)}`

/** Seconds since 1970, by the server's own clock. */
const times = ['iat', 'exp', 'iiat', 'loginTs', 'authTime'] as const

interface Row {
  readonly model: string
  readonly id: string
  payload: AdapterPayload
}

/** Where the server keeps everything; what it writes and forgets there is in ledger and log as well. */
export interface Store {
  adapter(model: string): Adapter
}

/**
 * The library reads the system's clock and cannot be given another one. So the times in what it
 * stores are kept by the sandbox's clock, and put back to the system's whenever it reads them: what
 * is moved on here grows old there.
 */
export function createStore(
  clock: SandboxClock,
  ledger: Ledger,
  current: () => LogEntry | undefined,
): Store {
  const rows = new Map<string, Row>()
  const keyOf = (model: string, id: string) => `${model} ${id}`
  const ahead = () => (clock.now() - Date.now()) / 1000

  const moved = (payload: AdapterPayload, seconds: number): AdapterPayload => {
    const copy = structuredClone(payload) as AdapterPayload & Record<string, unknown>
    for (const name of times) {
      const value = copy[name]
      if (typeof value === 'number') copy[name] = Math.round(value + seconds)
    }
    return copy
  }
  const touched = () => {
    const entry = current()
    if (entry) entry.effect = true
  }
  const read = (row: Row | undefined) => row && moved(row.payload, -ahead())
  const first = (model: string, matches: (payload: AdapterPayload) => boolean) =>
    read([...rows.values()].find((row) => row.model === model && matches(row.payload)))

  const entriesOf = ({ id, payload: { client_secret, userCode } }: Row) =>
    [id, client_secret, userCode && shown(userCode)]
      .map((value) => (value === undefined ? undefined : ledger.find(value)))
      .filter((entry) => entry !== undefined)

  function drop(row: Row): void {
    rows.delete(keyOf(row.model, row.id))
    for (const entry of entriesOf(row)) {
      if (!(entry.usedAt !== undefined && oneTime.has(entry.kind))) ledger.revoke(entry)
    }
  }

  function issue({ model, id, payload }: Row, expiresIn: number | undefined): void {
    const { accountId, clientId, client_secret, userCode } = payload
    const issued = (kind: SecretKind, value: string) =>
      ledger.issue({
        kind,
        value,
        account: accountId ?? clientId ?? id,
        request: current()?.n ?? 0,
        ...(expiresIn === undefined ? {} : { ttlMs: expiresIn * 1000 }),
      })
    const kind = kinds[model]
    if (kind) issued(kind, id)
    if (model === 'Client' && client_secret !== undefined) issued('client_secret', client_secret)
    if (model === 'DeviceCode' && userCode !== undefined) issued('user_code', shown(userCode))
  }

  return {
    adapter: (model) => ({
      async upsert(id, payload, expiresIn) {
        const known = rows.get(keyOf(model, id))
        const row: Row = { model, id, payload: moved(payload, ahead()) }
        rows.set(keyOf(model, id), row)
        if (!known) issue(row, expiresIn)
        if (!passing.has(model)) touched()
      },
      find: async (id) => read(rows.get(keyOf(model, id))),
      findByUserCode: async (code) => first(model, ({ userCode }) => userCode === code),
      findByUid: async (uid) => first(model, (payload) => payload.uid === uid),
      async consume(id) {
        const row = rows.get(keyOf(model, id))
        if (!row) return
        row.payload.consumed = Math.round(clock.now() / 1000)
        for (const entry of entriesOf(row)) ledger.markUsed(entry)
      },
      async destroy(id) {
        const row = rows.get(keyOf(model, id))
        if (!row) return
        drop(row)
        if (!passing.has(model)) touched()
        if (model !== 'Client') return
        // RFC 7592, section 2.3: with a client goes what it was given.
        for (const other of [...rows.values()]) if (other.payload.clientId === id) drop(other)
      },
      async revokeByGrantId(grantId) {
        for (const row of [...rows.values()]) {
          if (row.model === model && row.payload.grantId === grantId) drop(row)
        }
        touched()
      },
    }),
  }
}
