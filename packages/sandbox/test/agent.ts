import type { Sandbox } from '../src/index.ts'
import { fetch, type Got, read, send } from './client.ts'

export const email = 'ada@agents.example'
export const idJagType = 'urn:ietf:params:oauth:token-type:id-jag'
export const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
export const claimGrant = 'urn:workos:agent-auth:grant-type:claim'

type Json = Record<string, unknown>

/** An agent that posts what it is told to and thinks nothing of it. */
export interface Agent {
  readonly api: string
  readonly issuer: string
  get(url: string): Promise<Got>
  post(path: string, json: unknown): Promise<Got>
  form(path: string, fields: Record<string, string>): Promise<Got>
  register(json: Json): Promise<Got>
  claim(json: Json): Promise<Got>
  complete(json: Json): Promise<Got>
  exchange(assertion: string, more?: Record<string, string>): Promise<Got>
  poll(claimToken: string): Promise<Got>
  /** Posts a provider's token to an events endpoint. */
  tell(token: string, typ?: string): Promise<Got>
  read(token?: string): Promise<Got>
  write(token?: string): Promise<Got>
}

/** The paths of v0.2 and later, if no other is given. */
export function agentAt(
  { authMd }: Pick<Sandbox, 'authMd'>,
  {
    at = 0,
    root = '/agent/identity',
    events = '/agent/event/notify',
  }: { at?: number; root?: string; events?: string } = {},
): Agent {
  const site = authMd[at]
  if (!site) throw new Error(`there is no service ${at}`)
  const { api, issuer } = site
  const post = (path: string, json: unknown) => send('POST', issuer + path, { json })
  const form = async (path: string, fields: Record<string, string>) =>
    read(
      await fetch(issuer + path, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      }),
    )
  const bearer = (token?: string) => (token === undefined ? {} : { token })
  return {
    api,
    issuer,
    get: (url) => send('GET', url),
    post,
    form,
    register: (json) => post(root, json),
    claim: (json) => post(`${root}/claim`, json),
    complete: (json) => post(`${root}/claim/complete`, json),
    exchange: (assertion, more) =>
      form('/oauth2/token', { grant_type: jwtBearer, assertion, ...more }),
    poll: (claimToken) =>
      form('/oauth2/token', { grant_type: claimGrant, claim_token: claimToken }),
    tell: async (token, typ = 'secevent+jwt') =>
      read(
        await fetch(issuer + events, {
          method: 'POST',
          headers: { 'content-type': `application/${typ}` },
          body: token,
        }),
      ),
    read: (token) => send('GET', `${api}/api/resource`, bearer(token)),
    write: (token) => send('POST', `${api}/api/resource`, { json: {}, ...bearer(token) }),
  }
}
