import { describe, expect, it } from 'vitest'
import { type Pages, startSites } from '../../test/sites.ts'
import { factOf } from './profile.ts'

const base = 'http://api.acme.localhost:{port}'
const prmPath = 'api.acme.localhost/.well-known/oauth-protected-resource'
const page = { type: 'text/html', body: '<!doctype html><title>Acme</title>' }
const server = (issuer: string) => ({
  body: {
    issuer,
    token_endpoint: `${base}/token`,
    registration_endpoint: `${base}/register`,
  },
})

async function discovered(pages: Pages, asked = 'api.acme.localhost') {
  const sites = await startSites(pages)
  return { sites, profile: await sites.discover(asked) }
}

describe('a page of the site at a well-known address', () => {
  const issuer = `${base}/t1`
  const pages = {
    [prmPath]: { body: { resource: base, authorization_servers: [issuer] } },
    'api.acme.localhost/.well-known/oauth-authorization-server/t1': page,
    'api.acme.localhost/.well-known/openid-configuration/t1': page,
  }

  /** @see modelcontextprotocol/typescript-sdk#2126 */
  it('leaves the other addresses to be tried', async () => {
    const { sites, profile } = await discovered({
      ...pages,
      'api.acme.localhost/t1/.well-known/openid-configuration': server(issuer),
    })
    expect(profile.serverMetadata).toMatchObject([
      { url: sites.url('api.acme.localhost/t1/.well-known/openid-configuration') },
    ])
  })

  /** @see modelcontextprotocol/typescript-sdk#2126 */
  it('is listed with status, type and reason where none is right', async () => {
    const { sites, profile } = await discovered(pages)
    expect(profile.serverMetadata).toEqual([])
    for (const path of ['oauth-authorization-server/t1', 'openid-configuration/t1']) {
      expect(profile.tried).toContainEqual(
        expect.objectContaining({
          url: sites.url(`api.acme.localhost/.well-known/${path}`),
          status: 200,
          mediaType: 'text/html',
          verdict: 'not here: no JSON',
        }),
      )
    }
  })
})

/** @see modelcontextprotocol/typescript-sdk#804 and modelcontextprotocol/inspector#634 */
it.each([400, 403, 405])(
  'goes from the inserted path on to the root after a %d',
  async (status) => {
    const { profile } = await discovered(
      {
        [`${prmPath}/mcp`]: { status, type: 'text/html', body: 'no' },
        [prmPath]: { body: { resource: `${base}/mcp`, authorization_servers: [base] } },
      },
      'api.acme.localhost/mcp',
    )
    expect(profile.resourceMetadata?.authorizationServers).toHaveLength(1)
  },
)

/** @see microsoft/vscode#255255 and PrimeIntellect-ai/prime-agent PR 1591 */
it('keeps the resource as it is advertised, without a slash of its own', async () => {
  const { sites, profile } = await discovered({
    [prmPath]: { body: { resource: base, authorization_servers: [base] } },
  })
  expect(profile.service).toBe(sites.url('api.acme.localhost'))
  expect(profile.service).not.toMatch(/\/$/)
})

/** @see modelcontextprotocol/python-sdk#1264 */
it('takes a resource that is a parent of what was asked, and warns', async () => {
  const { sites, profile } = await discovered(
    { [prmPath]: { body: { resource: `${base}/`, authorization_servers: [base] } } },
    'api.acme.localhost/mcp',
  )
  expect(profile.resourceMetadata?.resource).toBe(`${sites.url('api.acme.localhost')}/`)
  expect(profile.warnings).toHaveLength(1)
})

/** @see modelcontextprotocol/typescript-sdk PR 1951 */
it.each([
  ['of another scheme', { 'www-authenticate': 'Negotiate' }],
  ['with no scheme at all', {}],
])('falls back to the well-known address after a refusal %s', async (_, headers) => {
  const { profile } = await discovered(
    {
      'api.acme.localhost/mcp': { status: 401, headers },
      [prmPath]: { body: { resource: `${base}/mcp`, authorization_servers: [base] } },
    },
    'api.acme.localhost/mcp',
  )
  expect(profile.resourceMetadata).toBeDefined()
})

describe('addresses that a service names', () => {
  /** @see bayesimpact/bayes-platform PR 710 */
  it('reach no other host of the machine by a redirect', async () => {
    const { profile } = await discovered({
      [prmPath]: { status: 302, headers: { location: 'http://[::1]:{port}/prm' } },
    })
    expect(profile.resourceMetadata).toBeUndefined()
    expect(profile.facts).toEqual([])
  })

  /** @see vstorm-co/full-stack-ai-agent-template PR 124 */
  it('are left out of metadata where they lead inside', async () => {
    const { profile } = await discovered({
      'api.acme.localhost/.well-known/oauth-authorization-server': {
        body: {
          issuer: base,
          token_endpoint: 'http://169.254.169.254/token',
          registration_endpoint: 'https://10.0.0.1/register',
          revocation_endpoint: `${base}/revoke`,
        },
      },
    })
    const [metadata] = profile.serverMetadata
    expect(metadata?.raw).toHaveProperty('revocation_endpoint')
    expect(JSON.stringify(profile)).not.toMatch(/169\.254|10\.0\.0\.1(?!.*refused)/)
  })
})

describe('metadata in other clothes', () => {
  const metadata = { resource: base, authorization_servers: [base] }

  it.each([
    /** @see hapijs/bourne#28 and forwardemail/superagent#1249 */
    [
      'with a byte order mark',
      { type: 'application/json', body: `\uFEFF${JSON.stringify(metadata)}` },
    ],
    /** @see kanidm/kanidm#4470 */
    ['as plain text', { type: 'text/plain', body: JSON.stringify(metadata) }],
    /** @see identity-model-oidc-client-js#488 */
    ['of a type of its own', { type: 'application/jwk-set+json', body: JSON.stringify(metadata) }],
    ['without a type', { body: JSON.stringify(metadata) }],
  ])('%s is read', async (_, served) => {
    const { profile } = await discovered({ [prmPath]: served })
    expect(profile.resourceMetadata?.authorizationServers).toHaveLength(1)
  })

  /** @see hapijs/bourne#28 */
  it('a text with a byte order mark is read', async () => {
    const body = '\uFEFF---\ntitle: x\n---\n\n**claim_uri:** http://api.acme.localhost:{port}/c'
    const { profile } = await discovered({
      'api.acme.localhost/auth.md': { type: 'text/markdown', body },
    })
    expect(factOf(profile, 'claim_uri')).toBeDefined()
  })
})

describe('what is served as auth.md and is none', () => {
  it.each([
    [
      'a home page in Markdown',
      '# Acme\n\nFruit for all. Shops send `Authorization: Bearer x` with an order.',
      'not used: it is no auth.md, it says nothing to agents',
    ],
    [
      'notes on a code base',
      '# Auth\n\nAn agent finds: the middleware in `src/auth/session.ts` hashes passwords with argon2, `src/auth/key.ts` and `lib/db/users.sql` hold the database schema, `app/login/page.tsx` the form; run migrations with npm run migrate in docker. Send `Authorization: Bearer x`.',
      'not used: it is no auth.md, it is about how software is built',
    ],
    [
      'an index of pages',
      '# Acme\n\n> For agents.\n\n- [Docs](https://acme.example/docs): `GET /v1/fruit`',
      'not used: it is no auth.md, it names no way in',
    ],
  ])('%s is turned away, and why is said', async (_, body, verdict) => {
    const { sites, profile } = await discovered({ 'api.acme.localhost/auth.md': body })
    expect(profile.documents).toEqual([])
    expect(profile.tried).toContainEqual(
      expect.objectContaining({ url: sites.url('api.acme.localhost/auth.md'), verdict }),
    )
  })
})
