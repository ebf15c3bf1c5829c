import { createHash, randomBytes } from 'node:crypto'
import { type OAuthSite, personAtOAuth } from '../src/index.ts'
import { fetch, type Got, read, send } from './client.ts'

export const email = 'ada@agents.example'
export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

type Fields = Readonly<Record<string, string>>

/** A client that sends what it is told to and thinks nothing of it. */
export interface OAuthClient {
  metadata(): Promise<Record<string, unknown>>
  /** Posts a form, with Basic where `basic` is given. */
  form(path: string, fields: Fields, basic?: { id: string; secret: string }): Promise<Got>
  register(metadata?: Readonly<Record<string, unknown>>): Promise<Got>
  token(fields: Fields, basic?: { id: string; secret: string }): Promise<Got>
  me(token?: string): Promise<Got>
  write(token?: string, text?: string): Promise<Got>
}

export function oauthClientAt(site: OAuthSite): OAuthClient {
  const form: OAuthClient['form'] = async (path, fields, basic) => {
    const type = { 'content-type': 'application/x-www-form-urlencoded' }
    const encoded = basic && Buffer.from(`${basic.id}:${basic.secret}`).toString('base64')
    return read(
      await fetch(site.issuer + path, {
        method: 'POST',
        headers: { ...type, ...(encoded ? { authorization: `Basic ${encoded}` } : {}) },
        body: new URLSearchParams(fields).toString(),
      }),
    )
  }
  const withToken = (token?: string) => (token === undefined ? {} : { token })
  return {
    metadata: async () => {
      const got = await send('GET', `${site.issuer}/.well-known/oauth-authorization-server`)
      return got.json as Record<string, unknown>
    },
    form,
    register: (metadata = {}) =>
      send('POST', `${site.issuer}/register`, {
        json: {
          client_name: 'Test',
          application_type: 'native',
          token_endpoint_auth_method: 'none',
          redirect_uris: ['http://127.0.0.1/callback'],
          grant_types: ['authorization_code', 'refresh_token', deviceGrant],
          ...metadata,
        },
      }),
    token: (fields, basic) => form('/token', fields, basic),
    me: (token) => send('GET', `${site.api}/v1/me`, withToken(token)),
    write: (token, text = 'a') =>
      send('POST', `${site.api}/v1/things`, { json: { text }, ...withToken(token) }),
  }
}

/** An authorization URL with PKCE (RFC 7636), and the verifier that belongs to it. */
export function authorizationUrl(
  site: OAuthSite,
  fields: Fields,
): { url: string; verifier: string } {
  const verifier = randomBytes(32).toString('base64url')
  const query = new URLSearchParams({
    response_type: 'code',
    redirect_uri: 'http://127.0.0.1/callback',
    state: 'made-up-state',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...fields,
  })
  return { url: `${site.issuer}/authorize?${query}`, verifier }
}

/** The whole way of the device grant, with a person who agrees. */
export async function obtainTokens(site: OAuthSite, fields: Fields = {}): Promise<Got> {
  const client = oauthClientAt(site)
  const { client_id = 'sandbox-native', ...more } = fields
  const device = await client.form('/device_authorization', { client_id, ...more })
  const device_code = device.at('device_code')
  await personAtOAuth(email).connect(device.at('verification_uri'), device.at('user_code'))
  return client.token({ client_id, grant_type: deviceGrant, device_code })
}
