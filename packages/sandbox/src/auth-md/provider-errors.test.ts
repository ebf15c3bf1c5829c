import { type Case, provoke } from '../../test/provoke.ts'
import type { AuthMdErrorCode, TokenDefect } from '../index.ts'

const early = { root: '/agent/auth', events: '/agent/auth/revoke' }
const wants = { requested_credential_type: 'api_key' }

/** Bad ID-JAGs, with the code that each is given. */
function idJags(codes: Record<string, AuthMdErrorCode>): Case[] {
  const defect = (name: TokenDefect): Case['2'] => {
    return async ({ vouched, idJag }) => vouched(await idJag(name))
  }
  const acts: Record<string, Case['2']> = {
    issuer: defect('issuer'),
    signature: defect('signature'),
    key: defect('key'),
    audience: defect('audience'),
    noAudience: defect('no-audience'),
    expired: defect('expired'),
    typ: defect('typ'),
    noTyp: defect('no-typ'),
    unverified: defect('unverified-email'),
    client: async ({ vouched, idJag }) =>
      vouched(await idJag(undefined, { client_id: 'https://elsewhere.example' })),
    future: async ({ vouched, idJag }) =>
      vouched(await idJag(undefined, { iat: Date.now() / 1000 + 600 })),
    noSubject: async ({ vouched, idJag }) => vouched(await idJag(undefined, { sub: undefined })),
    noJti: async ({ vouched, idJag }) => vouched(await idJag(undefined, { jti: undefined })),
    garbage: async ({ vouched }) => vouched('a.b.c'),
    replay: async ({ vouched, idJag }) => {
      const assertion = await idJag()
      const first = await vouched(assertion)
      if (first.status !== 200) throw new Error(first.text)
      return vouched(assertion)
    },
  }
  return Object.entries(codes).map(([name, code]) => {
    const act = acts[name]
    if (!act) throw new Error(name)
    return [code, 400, act]
  })
}

const spec: Record<string, AuthMdErrorCode> = {
  issuer: 'issuer_not_enabled',
  signature: 'invalid_signature',
  key: 'invalid_signature',
  audience: 'audience_mismatch',
  noAudience: 'audience_mismatch',
  expired: 'credential_expired',
  typ: 'invalid_request',
  noTyp: 'invalid_request',
  unverified: 'missing_verified_email',
  client: 'invalid_client_id',
  future: 'invalid_request',
  noSubject: 'invalid_request',
  noJti: 'invalid_request',
  garbage: 'invalid_request',
  replay: 'replay_detected',
}
const sample: Record<string, AuthMdErrorCode> = {
  issuer: 'invalid_issuer',
  signature: 'invalid_signature',
  key: 'invalid_signature',
  audience: 'expired',
  noAudience: 'invalid_audience',
  expired: 'expired',
  typ: 'invalid_request',
  noTyp: 'expired',
  unverified: 'missing_verified_email',
  noSubject: 'invalid_request',
  noJti: 'invalid_request',
  garbage: 'invalid_request',
  replay: 'replay_detected',
}
const folded = Object.fromEntries(
  Object.keys(spec).map((name) => [name, 'invalid_request' as AuthMdErrorCode]),
)

provoke('ID-JAG at v0.1', { version: 'v0.1' }, idJags(spec), early, wants)
provoke('ID-JAG at v0.3', { version: 'v0.3' }, idJags(spec))
provoke(
  'ID-JAG at the sample of v0.1',
  { version: 'v0.1', profile: 'as-sample' },
  idJags({ ...sample, typ: 'expired' }),
  early,
  wants,
)
provoke('ID-JAG at the sample of v0.7', { profile: 'as-sample' }, idJags(sample))
provoke(
  'ID-JAG at the sample of readback',
  { version: 'readback', profile: 'as-sample' },
  idJags(sample),
)
provoke('ID-JAG at v0.7', {}, idJags({ ...folded, issuer: 'issuer_not_enabled' }))
provoke(
  'ID-JAG at readback',
  { version: 'readback' },
  idJags({ ...folded, issuer: 'issuer_not_enabled' }),
)

/** Bad tokens of a provider at its events endpoint. */
function events(
  typ: 'secevent+jwt' | 'logout+jwt',
  codes: Record<string, AuthMdErrorCode>,
): Case[] {
  return Object.entries(codes).map(([defect, code]) => [
    code,
    400,
    async ({ agent, sandbox }) => {
      const { identityProvider: idp } = sandbox
      const audience = agent.issuer
      if (defect === 'content-type') return agent.tell(await idp.event({ audience, typ }), 'jwt')
      if (defect === 'no-events') {
        return agent.tell(await idp.event({ audience, typ, claims: { events: undefined } }), typ)
      }
      if (defect === 'replay') {
        const event = await idp.event({ audience, typ })
        await agent.tell(event, typ)
        return agent.tell(event, typ)
      }
      const event = await idp.event({ audience, typ, defect: defect as TokenDefect })
      return agent.tell(event, typ)
    },
  ])
}

const rfc8935: Record<string, AuthMdErrorCode> = {
  issuer: 'invalid_issuer',
  audience: 'invalid_audience',
  signature: 'authentication_failed',
  expired: 'authentication_failed',
  key: 'invalid_key',
  typ: 'invalid_request',
  'content-type': 'invalid_request',
  'no-events': 'invalid_request',
  replay: 'invalid_request',
}
provoke('events at v0.3', { version: 'v0.3' }, events('secevent+jwt', rfc8935))
provoke(
  'events at the sample of v0.7',
  { profile: 'as-sample' },
  events('secevent+jwt', { ...rfc8935, key: 'authentication_failed' }),
)
provoke(
  'logout tokens at v0.1',
  { version: 'v0.1' },
  events('logout+jwt', {
    issuer: 'invalid_issuer',
    audience: 'invalid_audience',
    signature: 'invalid_signature',
    replay: 'replay_detected',
    typ: 'invalid_request',
    'content-type': 'invalid_request',
  }),
  early,
)
