import { randomBytes } from 'node:crypto'
import {
  type Configuration,
  errors,
  interactionPolicy,
  type KoaContextWithOIDC,
  Provider,
  type ResourceServer,
} from 'oidc-provider'
import { randomId } from '../auth-md/state.ts'
import { consentPages } from './consent.ts'
import type { Inner } from './inner.ts'
import { type OAuthOptions, scopes } from './options.ts'
import { confirmPage, donePage, messagePage, typeCodePage } from './pages.ts'
import { deviceGrant, grantable, hasGrant, type OAuth, paths, privateKeys, takes } from './state.ts'
import { createStore } from './store.ts'

/** A value that nobody can take for a real one takes the place of the library's. */
interface Named {
  generateTokenId(): string
}

/** The authorization server of one service, made by the library from what is switched on. */
export async function createProvider(site: OAuth, inner: Inner): Promise<Provider> {
  const { server } = site
  const { adapter } = createStore(server.clock, server.ledger, inner.current)
  const provider = new Provider(site.issuer, {
    adapter,
    ...(await configuration(site)),
  } as Configuration)
  for (const { prototype } of [
    provider.BaseToken,
    provider.AccessToken,
    provider.ClientCredentials,
  ] as unknown as { prototype: Named }[]) {
    const own = prototype.generateTokenId
    prototype.generateTokenId = function (this: Named) {
      // The library notes the token's format while it makes up a value.
      own.call(this)
      return randomId('')
    }
  }
  provider.use(consentPages(provider, site))
  return provider
}

async function configuration(site: OAuth): Promise<Omit<Configuration, 'adapter'>> {
  const { options } = site
  const { refresh = 'rotating', revocation = true, accessTokenSeconds = 3600 } = options
  const grants = {
    code: hasGrant(site, 'authorization_code'),
    device: hasGrant(site, 'device_code'),
    credentials: hasGrant(site, 'client_credentials'),
  }
  const dynamic = takes(site, 'dynamic')
  const day = 86_400
  return {
    jwks: await privateKeys(),
    clients: clients(site) as Configuration['clients'],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    enabledJWA: {
      clientAuthSigningAlgValues: ['ES256', 'RS256'],
      idTokenSigningAlgValues: ['ES256'],
    },
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    scopes: refresh === 'none' ? [...scopes] : [...scopes, 'offline_access'],
    responseTypes: grants.code ? ['code'] : [],
    clockTolerance: 0,
    cookies: { keys: [randomBytes(16).toString('hex')] },
    routes: paths,
    pkce: { required: () => true },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: async () => ({ sub }) }),
    interactions: {
      policy: interactionPolicy.base(),
      url: (_ctx, { uid }) => `/interaction/${uid}`,
    },
    expiresWithSession: () => false,
    // Where this is set, the library offers the grant.
    ...(refresh === 'none'
      ? {}
      : { issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token') }),
    rotateRefreshToken: () => refresh === 'rotating',
    clientBasedCORS: () => true,
    renderError: (ctx, out) => {
      ctx.type = 'html'
      ctx.body = String(messagePage(out.error, out.error_description ?? ''))
    },
    ttl: {
      AccessToken: accessTokenSeconds,
      ClientCredentials: accessTokenSeconds,
      AuthorizationCode: 60,
      DeviceCode: 600,
      RefreshToken: 14 * day,
      Grant: 14 * day,
      Session: 14 * day,
      Interaction: 3600,
      IdToken: 3600,
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      clientCredentials: { enabled: grants.credentials },
      introspection: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) =>
          client.clientId === site.introspector.id || client.clientId === token.clientId,
      },
      revocation: {
        enabled: revocation,
        // RFC 7009, section 2.1: the client is told.
        allowedPolicy: (_ctx, client, token) => {
          if (client.clientId !== token.clientId) throw new errors.InvalidRequest('not your token')
          return true
        },
      },
      registration: {
        enabled: dynamic || takes(site, 'unmanaged'),
        idFactory: () => randomId('client_'),
        secretFactory: () => randomId(''),
        issueRegistrationAccessToken: () => dynamic,
      },
      registrationManagement: { enabled: dynamic, rotateRegistrationAccessToken: false },
      deviceFlow: {
        enabled: grants.device,
        userCodeInputSource: async (ctx, form, _out, error) => {
          ctx.body = String(typeCodePage(form, error && 'That code is not good.'))
        },
        userCodeConfirmSource: async (ctx, form, client, _info, userCode) => {
          ctx.body = String(confirmPage(form, client.clientName ?? client.clientId, userCode))
        },
        successSource: async (ctx) => {
          ctx.body = String(donePage())
        },
      },
      resourceIndicators: resourceIndicators(site),
      // Not yet among the library's types.
      ...({
        clientIdMetadataDocument: { enabled: takes(site, 'document'), ack: 'draft-02' },
      } as object),
    },
    fetch: async (url) => fetchDocument(options, String(url)),
  }
}

function resourceIndicators({ options, api, resources, ...site }: OAuth) {
  const { resource = 'optional' } = options
  const asked = (ctx: KoaContextWithOIDC) =>
    ctx.oidc.body?.resource ?? (ctx.query.resource as string | undefined)
  return {
    enabled: true,
    defaultResource: async (
      ctx: KoaContextWithOIDC,
      _client: unknown,
      oneOf?: readonly string[],
    ) => {
      if (resource === 'required' && asked(ctx) === undefined) {
        throw new errors.InvalidTarget('resource is required')
      }
      return oneOf?.[0] ?? api
    },
    useGrantedResource: async () => true,
    async getResourceServerInfo(
      ctx: KoaContextWithOIDC,
      indicator: string,
    ): Promise<ResourceServer> {
      if (resource === 'refused' && asked(ctx) !== undefined) {
        throw new errors.InvalidTarget('resource is not supported')
      }
      const known = resources.find((one) => one === indicator.replace(/\/$/, ''))
      if (known === undefined && resource !== 'ignored') throw new errors.InvalidTarget()
      return {
        audience: known ?? api,
        scope: grantable({ options, api, resources, ...site }).join(' '),
        accessTokenFormat: 'opaque',
      }
    },
  }
}

/** The documents are given with the options, so nothing is really fetched. */
function fetchDocument({ documents = {} }: OAuthOptions, url: string): Response {
  const document = documents[url]
  return document === undefined
    ? new Response(null, { status: 404 })
    : Response.json(document, { headers: { 'cache-control': 'max-age=60' } })
}

function clients(site: OAuth): readonly object[] {
  const redirect_uris = ['http://127.0.0.1/callback']
  const code = hasGrant(site, 'authorization_code')
  const { refresh = 'rotating' } = site.options
  const grant_types = [
    ...(code ? ['authorization_code'] : []),
    ...(hasGrant(site, 'device_code') ? [deviceGrant] : []),
    ...(refresh === 'none' ? [] : ['refresh_token']),
  ]
  const ways = { redirect_uris: code ? redirect_uris : [], response_types: code ? ['code'] : [] }
  const { native, confidential } = site.clients
  return [
    {
      client_id: native.id,
      client_name: 'Sandbox Native',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types,
      ...ways,
    },
    {
      client_id: confidential.id,
      client_secret: confidential.secret,
      client_name: 'Sandbox Confidential',
      grant_types: [
        ...grant_types,
        ...(hasGrant(site, 'client_credentials') ? ['client_credentials'] : []),
      ],
      ...ways,
    },
    {
      client_id: site.introspector.id,
      client_secret: site.introspector.secret,
      grant_types: [],
      redirect_uris: [],
      response_types: [],
    },
    ...(site.options.clients ?? []),
  ]
}
