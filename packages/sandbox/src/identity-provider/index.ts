import { randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import { Hono } from 'hono'
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose'
import { createSigner, seconds } from '../jwt.ts'
import type { SandboxContext, SandboxEnv, SandboxServer } from '../server.ts'

const hostname = 'idp.localhost'
const idJagType = 'urn:ietf:params:oauth:token-type:id-jag'
const idTokenType = 'urn:ietf:params:oauth:token-type:id_token'
const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const lifetime = 300
const noStore = { 'cache-control': 'no-store', pragma: 'no-cache' } as const

/** What can be wrong with a token, in an otherwise good one. */
export type TokenDefect =
  | 'audience'
  | 'no-audience'
  | 'expired'
  | 'issuer'
  | 'signature'
  | 'key'
  | 'typ'
  | 'no-typ'
  | 'unverified-email'
  | 'stale-login'

export interface IdJagWish {
  /** The `aud`, mostly the issuer of the service. */
  audience: string
  /** The user at this provider; made of the address if absent. */
  sub?: string
  /** A verified address; `ada@agents.example` if absent. */
  email?: string
  /** Claims that are added, or take the place of others; `undefined` takes one away. */
  claims?: Readonly<Record<string, unknown>>
  defect?: TokenDefect
}

export interface EventWish {
  audience: string
  sub?: string
  email?: string
  /** `secevent+jwt` if absent; `logout+jwt` is for v0.1 and v0.2. */
  typ?: 'secevent+jwt' | 'logout+jwt'
  /** The event's URI; that of a revoked identity assertion if absent. */
  event?: string
  claims?: Readonly<Record<string, unknown>>
  defect?: TokenDefect
}

/** An identity provider that all auth.md services of the sandbox trust. */
export interface IdentityProvider {
  readonly issuer: string
  /** The client that may exchange tokens at `/token`, by `client_secret_basic` or `client_secret_post`. */
  readonly client: { readonly id: string; readonly secret: string }
  /** An ID-JAG for five minutes, with a `jti` of its own and an `auth_time` of now. */
  idJag(wish: IdJagWish): Promise<string>
  /** An ID token for the client, to be exchanged at `/token`. */
  idToken(wish?: Omit<IdJagWish, 'audience'>): Promise<string>
  /** A token that tells a service of the end of a user's assertions, to be posted to its events endpoint. */
  event(wish: EventWish): Promise<string>
  /** Makes the next ID-JAGs that `/token` gives out wrong, one after the other. */
  spoil(...defects: TokenDefect[]): void
}

/** The public keys are for services that trust the provider without asking it over HTTP. */
export interface MountedProvider extends IdentityProvider {
  readonly name: string
  jwks(): Promise<JSONWebKeySet>
}

export function mountIdentityProvider(server: SandboxServer): MountedProvider {
  const { clock, ledger } = server
  const issuer = server.origin(hostname)
  const signer = createSigner()
  const stranger = createSigner()
  const spoiled: TokenDefect[] = []
  const client = { id: 'sandbox-agent', secret: `SANDBOX${randomBytes(16).toString('hex')}` }

  const sign = async (typ: string, claims: JWTPayload, defect?: TokenDefect) => {
    const wrong = defect === 'typ' ? 'JWT' : defect === 'no-typ' ? undefined : typ
    const own = (await signer.jwks()).keys[0]?.kid
    // The stranger's signature under our key's id is wrong; under its own id the key is unknown.
    if (defect === 'signature') return stranger.sign(typ, claims, { kid: own })
    if (defect === 'key') return stranger.sign(typ, claims)
    return signer.sign(typ, claims, { typ: wrong })
  }

  const claimsOf = ({ sub, email = 'ada@agents.example' }: Partial<IdJagWish>): JWTPayload => {
    const now = seconds(clock.now())
    return {
      iss: issuer,
      sub: sub ?? `user-${email}`,
      jti: randomUUID(),
      iat: now,
      exp: now + lifetime,
    }
  }

  const defective = (claims: JWTPayload, defect?: TokenDefect): JWTPayload => {
    const now = seconds(clock.now())
    const { aud: _aud, ...withoutAudience } = claims
    if (defect === 'no-audience') return withoutAudience
    if (defect === 'audience') return { ...claims, aud: 'https://elsewhere.example' }
    if (defect === 'issuer') return { ...claims, iss: 'https://idp.elsewhere.example' }
    if (defect === 'expired') return { ...claims, iat: now - 3600, exp: now - 3300 }
    if (defect === 'unverified-email') return { ...claims, email_verified: false }
    if (defect === 'stale-login') return { ...claims, auth_time: now - 86_400 }
    return claims
  }

  const identityOf = ({ email = 'ada@agents.example' }: Partial<IdJagWish>) => ({
    email,
    email_verified: true,
    auth_time: seconds(clock.now()),
  })

  /** In the ledger under the user, with the request that it answers or 0 for none. */
  const issued = (kind: 'id_jag' | 'id_token', value: string, account = '', request = 0) => {
    ledger.issue({ kind, value, account, request, ttlMs: lifetime * 1000 })
    return value
  }

  const idJag = async (wish: IdJagWish, request?: number): Promise<string> => {
    const claims = {
      ...claimsOf(wish),
      aud: wish.audience,
      client_id: issuer,
      ...identityOf(wish),
      ...wish.claims,
    }
    const value = await sign('oauth-id-jag+jwt', defective(claims, wish.defect), wish.defect)
    return issued('id_jag', value, claims.sub, request)
  }

  const provider: MountedProvider = {
    issuer,
    name: 'Sandbox Identity',
    client,
    jwks: signer.jwks,
    idJag: (wish) => idJag(wish),
    async idToken(wish = {}) {
      const base = claimsOf(wish)
      const claims = { ...base, aud: client.id, ...identityOf(wish), ...wish.claims }
      const value = await sign('JWT', defective(claims, wish.defect), wish.defect)
      return issued('id_token', value, base.sub)
    },
    event({ typ = 'secevent+jwt', event = revokedEvent, audience, defect, claims, ...who }) {
      const { exp: _exp, ...base } = claimsOf(who)
      const all = { ...base, aud: audience, events: { [event]: {} }, ...claims }
      return sign(typ, defective(all, defect), defect)
    },
    spoil: (...defects) => void spoiled.push(...defects),
  }
  const app = new Hono<SandboxEnv>()
  const metadata = {
    issuer,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    response_types_supported: [],
    grant_types_supported: [tokenExchange],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    identity_chaining_requested_token_types_supported: [idJagType],
  }
  for (const path of ['oauth-authorization-server', 'openid-configuration']) {
    app.get(
      `/.well-known/${path}`,
      server.endpoint('idp_metadata', (c) => c.json(metadata)),
    )
  }
  app.get(
    '/.well-known/jwks.json',
    server.endpoint('idp_jwks', async (c) =>
      c.json(await signer.jwks(), 200, { 'cache-control': 'public, max-age=600' }),
    ),
  )
  app.post(
    '/token',
    server.endpoint('idp_token', async (c) => {
      const fields = new URLSearchParams(c.env.entry.body)
      const refuse = (error: string, why: string, status: 400 | 401 = 400) =>
        c.json({ error, error_description: why }, status, noStore)
      if (!isClient(c, fields, client)) return refuse('invalid_client', 'Unknown client.', 401)
      if (fields.get('grant_type') !== tokenExchange) {
        return refuse('unsupported_grant_type', 'Only token exchange is known here.')
      }
      const audience = fields.get('audience')
      const wrongType = fields.get('requested_token_type') !== idJagType
      if (wrongType || !audience || fields.get('subject_token_type') !== idTokenType) {
        return refuse('invalid_request', 'audience and the right token types are required.')
      }
      const subject = await readIdToken(fields.get('subject_token') ?? '')
      if (!subject) return refuse('invalid_grant', 'The subject token is not good.')
      const scope = fields.get('scope')
      const resource = fields.get('resource')
      const defect = spoiled.shift()
      const value = await idJag(
        {
          audience,
          sub: subject.sub ?? '',
          claims: {
            email: subject.email,
            email_verified: subject.email_verified,
            auth_time: subject.auth_time,
            ...(scope === null ? {} : { scope }),
            ...(resource === null ? {} : { resource }),
          },
          ...(defect === undefined ? {} : { defect }),
        },
        c.env.entry.n,
      )
      c.env.entry.effect = true
      return c.json(
        {
          issued_token_type: idJagType,
          access_token: value,
          token_type: 'N_A',
          expires_in: lifetime,
          ...(scope === null ? {} : { scope }),
        },
        200,
        noStore,
      )
    }),
  )
  app.notFound(server.endpoint('not_found', (c) => c.json({ error: 'not_found' }, 404)))
  server.mount(hostname, app)
  return provider

  /** The claims of an ID token for our client, if it is good. */
  async function readIdToken(token: string): Promise<JWTPayload | undefined> {
    try {
      const { payload } = await jwtVerify(token, createLocalJWKSet(await signer.jwks()), {
        issuer,
        audience: client.id,
        currentDate: new Date(clock.now()),
      })
      return payload
    } catch {
      return undefined
    }
  }
}

const revokedEvent = 'https://schemas.workos.com/events/agent/auth/identity/assertion/revoked'

function isClient(
  c: SandboxContext,
  fields: URLSearchParams,
  { id, secret }: IdentityProvider['client'],
): boolean {
  const basic = c.req.header('authorization')?.match(/^Basic +(\S+) *$/i)?.[1]
  const [name, password] =
    basic === undefined
      ? [fields.get('client_id') ?? '', fields.get('client_secret') ?? '']
      : Buffer.from(basic, 'base64').toString().split(':').map(decodeURIComponent)
  const [given, right] = [Buffer.from(password ?? ''), Buffer.from(secret)]
  return name === id && given.length === right.length && timingSafeEqual(given, right)
}
