import type { Effect } from '../../consent/action.ts'
import { shownScopes } from '../../consent/scopes.ts'
import { audienceOf } from '../../use/audience.ts'
import type { IssuedCredential, RequestPlan } from '../method.ts'
import type { TokenAnswer } from '../token-answer.ts'
import type { Client, Plan, State } from './state.ts'

type Request = RequestPlan['request']
type Form = NonNullable<Request['form']>
/** What a request of a client needs to know. */
export type Asking = Pick<State, 'plan' | 'client' | 'scopes' | 'resource'>

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

/** A new client (RFC 7591): twice is two. */
export function register(
  { plan, scopes, redirectUri, lost }: State,
  url: string,
  clientName: string,
): RequestPlan {
  const code = plan.grant === 'code'
  const grants = [code ? 'authorization_code' : deviceGrant]
  const native = redirectUri === undefined || redirectUri.startsWith('http:')
  return {
    name: 'oauth_client',
    request: {
      method: 'POST',
      url,
      json: {
        client_name: clientName,
        ...(redirectUri === undefined ? {} : { redirect_uris: [redirectUri] }),
        grant_types: plan.refresh === 'no' ? grants : [...grants, 'refresh_token'],
        response_types: code ? ['code'] : [],
        token_endpoint_auth_method: plan.auth,
        application_type: native ? 'native' : 'web',
        ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
      },
      redirects: 'none',
    },
    effect: 'creates',
    ifLost: 'uncertain',
    binds: binds({ plan, scopes, lost }),
  }
}

/** What a person agrees to: who is asked for what, and where that may then go. */
export function binds({ plan, scopes, lost }: Pick<State, 'plan' | 'scopes' | 'lost'>): Effect[] {
  const server = new URL(plan.issuer).host
  const service = new URL(plan.service).host
  const whom = {
    client: 'which it gives the client of the operator',
    device: 'which a person gives there by a code',
    code: 'which a person gives there in a browser',
  }[plan.grant]
  const shown = shownScopes(scopes)
  const client = plan.client === 'dynamic' ? 'a client of its own and ' : ''
  const other = plan.vouched ? '' : ` (${server} is no part of ${service}, which names it)`
  return [
    {
      kind: 'create-credential',
      at: plan.register ?? plan.device ?? plan.token,
      audience: audienceOf([plan.service]).bases,
      credential: `${client}an access token, ${whom}${other},`,
      ...(shown === undefined ? {} : { scopes: shown }),
      ...(lost === 0
        ? {}
        : { note: 'An earlier one may exist already, which nobody holds; it ends by itself.' }),
    },
  ]
}

/** The server's metadata once more, before anybody is sent there. */
export function server(state: State): RequestPlan {
  return {
    name: 'oauth_server',
    request: { method: 'GET', url: state.plan.metadata, redirects: 'same-origin' },
    effect: 'none',
    ifLost: 'repeat',
    binds: binds(state),
  }
}

/** A code for the person and one for us (RFC 8628 §3.1). Unused it ends by itself. */
export function device(state: Asking, url: string, bound: readonly Effect[]): RequestPlan {
  return {
    name: 'oauth_device',
    request: post(state, url, { ...scopeOf(state), ...resourceOf(state) }),
    effect: 'idempotent',
    ifLost: 'repeat',
    ...(bound.length === 0 ? {} : { binds: bound }),
  }
}

/** Is the person done? An answer that was lost may have held the token. */
export function poll(state: Asking): RequestPlan {
  return token(
    state,
    { grant_type: deviceGrant, device_code: { secret: 'device_code' }, ...resourceOf(state) },
    'reconcile',
  )
}

/** The code for a token. It works once. */
export function exchange(state: Asking, redirectUri: string): RequestPlan {
  return token(
    state,
    {
      grant_type: 'authorization_code',
      code: { secret: 'code' },
      redirect_uri: redirectUri,
      code_verifier: { secret: 'code_verifier' },
      ...resourceOf(state),
    },
    'uncertain',
  )
}

/** A token for the client itself (RFC 6749 §4.4). */
export function credentials(state: Asking, bound: readonly Effect[]): RequestPlan {
  const form = { grant_type: 'client_credentials', ...scopeOf(state), ...resourceOf(state) }
  const plan = token(state, form, 'repeat')
  return bound.length === 0 ? plan : { ...plan, binds: bound }
}

export function refresh(state: Asking): RequestPlan {
  const form = { grant_type: 'refresh_token', refresh_token: { secret: 'refresh_token' } }
  return token(state, { ...form, ...resourceOf(state) }, 'uncertain')
}

function token(state: Asking, form: Form, ifLost: RequestPlan['ifLost']): RequestPlan {
  const request = post(state, state.plan.token, form)
  return { name: 'oauth_token', request, effect: 'idempotent', ifLost }
}

function post({ client }: Pick<State, 'client'>, url: string, form: Form): Request {
  return { method: 'POST', url, redirects: 'none', ...proven(client, form) }
}

/** As the client proves itself (RFC 6749 §2.3.1). */
function proven(client: Client | undefined, form: Form): Pick<Request, 'form' | 'basic'> {
  const { id = '', auth = 'none' } = client ?? {}
  switch (auth) {
    case 'client_secret_basic':
      return { form, basic: { user: id, secret: 'client_secret' } }
    case 'client_secret_post':
      return { form: { ...form, client_id: id, client_secret: { secret: 'client_secret' } } }
    case 'none':
      return { form: { ...form, client_id: id } }
  }
}

function scopeOf({ scopes }: Asking): Form {
  return scopes.length === 0 ? {} : { scope: scopes.join(' ') }
}

function resourceOf({ plan, resource }: Asking): Form {
  return resource ? { resource: plan.service } : {}
}

/** The client is not needed any more (RFC 7592 §2.3); undefined where the server does not manage any. */
export function deleteClient({ client }: Pick<Asking, 'client'>): RequestPlan | undefined {
  if (client?.manage === undefined) return undefined
  const authorization = { scheme: 'Bearer', secret: 'registration_access_token' }
  return {
    name: 'oauth_client_delete',
    request: { method: 'DELETE', url: client.manage, authorization, redirects: 'none' },
    effect: 'idempotent',
    ifLost: 'uncertain',
  }
}

/** What the vault is told. */
export function credential(
  state: Asking,
  { expires, scopes: granted }: Pick<TokenAnswer, 'expires' | 'scopes'>,
  refresh: IssuedCredential['refresh'],
): IssuedCredential {
  const { plan, client, scopes } = state
  const deletion = deleteClient(state)
  const secrets = ['client_secret', ...(deletion ? ['registration_access_token'] : [])]
  return {
    secret: 'credential',
    kind: 'access_token',
    header: 'authorization',
    prefix: 'Bearer ',
    // Never where the server is, only where the resource is.
    issuedBy: plan.service,
    bases: [plan.service],
    scopes: { asked: scopes, ...(granted === undefined ? {} : { granted }) },
    client: { proof: proven(client, {}), secrets, ...(deletion && { deletion }) },
    ...(plan.revoke === undefined
      ? {}
      : {
          revocation: { mode: 'programmatic', url: plan.revoke, refreshToken: 'refresh_token' },
        }),
    ...(expires === undefined ? {} : { expires }),
    ...(refresh === undefined ? {} : { refresh }),
  }
}

/** The address that a person opens (RFC 6749 §4.1.1, RFC 7636 §4.3). */
export function authorizationUrl(
  { plan, client, scopes, resource, redirectUri = '' }: State,
  { state, challenge }: { readonly state: string; readonly challenge: string },
): string {
  const url = new URL((plan satisfies Plan).authorize ?? plan.issuer)
  const parameters = {
    response_type: 'code',
    client_id: client?.id ?? '',
    redirect_uri: redirectUri,
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    ...(resource ? { resource: plan.service } : {}),
    // Without it no refresh token is given for `offline_access` (OpenID Connect Core §11).
    ...(scopes.includes('offline_access') ? { prompt: 'consent' } : {}),
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}
