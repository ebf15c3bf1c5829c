import { longestChain, startSandbox } from '@authmd/sandbox'
import { describe, expect, it } from 'vitest'
import { startSites } from '../../test/sites.ts'
import { createGuardedFetch } from '../net/guarded-fetch.ts'
import { allowLoopback } from '../net/transport.ts'
import { nodeTransport } from '../node/transport.ts'
import { discover } from './discover.ts'
import { denies, type Fact, factOf, type ServiceProfile } from './profile.ts'

const fetch = createGuardedFetch({ transport: nodeTransport(), [allowLoopback]: true })
const deps = { fetch, now: () => 1_000 }

/** A fact without its source. */
function line({ name, mode, request, value, denied, offDomain, demoted }: Fact): string {
  const flags = [denied && 'denied', offDomain && 'off-domain', demoted && 'demoted']
  return [name, mode, request?.method, value, ...flags].filter(Boolean).join(' ')
}

const verdicts = ({ tried }: ServiceProfile) =>
  Object.fromEntries(
    tried.map(({ url, verdict }) => [url.replace(/^http:\/\/|:\d+/g, ''), verdict]),
  )

describe('the seed service', () => {
  it('gives the same facts from its API, its site, its documentation and its auth.md', async () => {
    await using sandbox = await startSandbox()
    const { api, site, developers, portal } = sandbox.urls
    const starts = [api, `${api}/v2`, site, developers, `${developers}/auth.md`]
    const profiles = await Promise.all(starts.map((start) => discover(start, deps)))
    const [first] = profiles.map((profile) => profile.facts.map(line))
    for (const profile of profiles) {
      expect(profile.service).toBe(api)
      expect(profile.facts.map(line)).toEqual(first)
      expect(profile.documents.map(({ url, role }) => [url, role])).toEqual([
        [`${developers}/auth.md`, 'auth.md'],
        [`${site}/agent-signup.md`, 'registration-page'],
      ])
    }
    expect(first).toEqual(
      expect.arrayContaining([
        `resource ${api}`,
        `register_uri programmatic ${site}/agent-signup.md`,
        `claim_uri interactive ${portal}/#/app/api-keys`,
        `revocation_uri interactive ${portal}/#/app/api-keys`,
        `use_base_url ${api}/v2`,
        `mcp_url ${api}/v2/mcp`,
        'header_scheme Authorization: Bearer',
        'method id-jag denied',
        `request POST ${api}/v2/bot_challenge`,
        `request POST ${api}/v2/bot_signup`,
        `request POST ${api}/v2/api_keys`,
      ]),
    )
    const profile = profiles[0] as ServiceProfile
    expect(factOf(profile, 'register_uri', 'programmatic')?.source.kind).toBe('text')
    expect(denies(profile, 'agent_auth')).toBe(true)
    expect(profile.warnings).toEqual([])
    expect(profile.at).toBe(1_000)
  })

  it('takes two dependent round trips', async () => {
    // Without a delay requests that go out together would not overlap.
    await using sandbox = await startSandbox({ faults: [{ name: '*', delay: 300 }] })
    await discover(sandbox.urls.api, deps)
    const log = sandbox.log.filter((entry) => entry.name !== 'unknown_host')
    expect(longestChain(log)).toBe(2)
    expect(log.length).toBeLessThanOrEqual(8)
  })

  it('sends no credential and changes nothing', async () => {
    await using sandbox = await startSandbox()
    await discover(`${sandbox.urls.api}/v2?token=t1#x`, deps)
    expect(sandbox.log.every(({ method }) => method === 'GET' || method === 'HEAD')).toBe(true)
    expect(sandbox.log.some(({ effect }) => effect)).toBe(false)
    expect(
      sandbox.log.some(({ path, headers }) => path.includes('t1') || headers.authorization),
    ).toBe(false)
  })
})

const prm = (resource: string, server: string) => ({
  body: { resource, authorization_servers: [server], bearer_methods_supported: ['header'] },
})

describe('metadata', () => {
  const server = {
    issuer: 'http://auth.acme.localhost:{port}/realms/a',
    token_endpoint: 'http://auth.acme.localhost:{port}/token',
    agent_auth: {
      identity_endpoint: 'http://auth.acme.localhost:{port}/agent/identity',
      identity_types_supported: ['anonymous'],
    },
  }

  /** @see modelcontextprotocol/typescript-sdk#744 */
  it('finds a server with a path that has the suffix form only', async () => {
    const sites = await startSites({
      'api.acme.localhost/.well-known/oauth-protected-resource': prm(
        'http://api.acme.localhost:{port}',
        'http://auth.acme.localhost:{port}/realms/a',
      ),
      'auth.acme.localhost/realms/a/.well-known/openid-configuration': { body: server },
    })
    const profile = await sites.discover('api.acme.localhost')
    expect(factOf(profile, 'register_uri')?.value).toBe(
      sites.url('auth.acme.localhost/agent/identity'),
    )
    expect(profile.serverMetadata).toHaveLength(1)
  })

  /** @see modelcontextprotocol/typescript-sdk#1946 */
  it('follows the metadata URL of a challenge, whatever stands before it', async () => {
    const sites = await startSites({
      'api.acme.localhost/mcp': {
        status: 401,
        headers: {
          'www-authenticate': [
            'Negotiate',
            'Bearer resource_metadata="http://api.acme.localhost:{port}/meta/prm"',
          ],
        },
      },
      'api.acme.localhost/meta/prm': prm(
        'http://api.acme.localhost:{port}/mcp',
        'http://auth.acme.localhost:{port}/realms/a',
      ),
      'auth.acme.localhost/.well-known/oauth-authorization-server/realms/a': { body: server },
    })
    const profile = await sites.discover('api.acme.localhost/mcp')
    expect(profile.service).toBe(sites.url('api.acme.localhost/mcp'))
    expect(profile.serverMetadata).toHaveLength(1)
    expect(profile.warnings).toEqual([])
  })

  /** @see getsentry/sentry-mcp#939 */
  it('tries every value of a repeated parameter', async () => {
    const base = 'http://api.acme.localhost:{port}'
    const sites = await startSites({
      'api.acme.localhost/': {
        status: 401,
        headers: {
          'www-authenticate': `Bearer realm="x", resource_metadata="${base}/a", error="invalid_token", resource_metadata="${base}/b"`,
        },
      },
      'api.acme.localhost/b': prm(base, base),
    })
    const profile = await sites.discover('api.acme.localhost')
    expect(profile.resourceMetadata?.url).toBe(sites.url('api.acme.localhost/b'))
    expect(verdicts(profile)['api.acme.localhost/a']).toBe('not here: 404')
  })

  it('takes GET where HEAD is not allowed', async () => {
    const sites = await startSites({
      'api.acme.localhost/': { status: 405 },
      'api.acme.localhost/auth.md': '**claim_uri:** http://api.acme.localhost:{port}/keys',
    })
    await sites.discover('api.acme.localhost')
    expect(sites.seen).toContain('GET api.acme.localhost/')
  })
})

describe('"not here"', () => {
  const page = { type: 'text/html', body: '<!doctype html><title>Hello</title>' }
  const text = '**claim_uri:** http://acme.localhost:{port}/claim'

  /** @see modelcontextprotocol/typescript-sdk#2126 */
  it('is a page where JSON or Markdown was wanted', async () => {
    const sites = await startSites({
      'acme.localhost/': page,
      'acme.localhost/.well-known/oauth-protected-resource': page,
      'acme.localhost/.well-known/oauth-authorization-server': page,
      'acme.localhost/auth.md': page,
      'docs.acme.localhost/auth.md': text,
    })
    const profile = await sites.discover('acme.localhost')
    expect(factOf(profile, 'claim_uri')?.value).toBe(sites.url('acme.localhost/claim'))
    expect(verdicts(profile)).toMatchObject({
      'acme.localhost/.well-known/oauth-protected-resource': 'not here: no JSON',
      'acme.localhost/auth.md': 'not here: no Markdown',
      'docs.acme.localhost/auth.md': 'used',
    })
    expect(profile.tried[0]).toMatchObject({ status: 200, mediaType: 'text/html' })
  })

  /** @see modelcontextprotocol/typescript-sdk#2783 */
  it.each([400, 401, 403, 404, 405, 410, 502])('is a %d', async (status) => {
    const sites = await startSites({
      'acme.localhost/.well-known/oauth-protected-resource/v1': { status },
      'acme.localhost/.well-known/oauth-protected-resource': prm(
        'http://acme.localhost:{port}/v1',
        'x',
      ),
    })
    const profile = await sites.discover('acme.localhost/v1')
    expect(profile.service).toBe(sites.url('acme.localhost/v1'))
    expect(profile.warnings).toEqual([])
  })

  it.each([408, 425, 429, 500, 503])(
    'is not a %d: that is said, and not remembered',
    async (status) => {
      const sites = await startSites({ 'acme.localhost/auth.md': { status } })
      const notHere = new Map()
      const profile = await sites.discover('acme.localhost', { notHere })
      expect(verdicts(profile)['acme.localhost/auth.md']).toBe(`failed with ${status}`)
      expect(profile.warnings.join()).toContain('worth asking again')
      expect([...notHere.keys()]).not.toContain(sites.url('acme.localhost/auth.md'))
      expect(profile.tried.filter(({ transient }) => transient)).toHaveLength(1)
    },
  )

  it('is remembered for 10 minutes', async () => {
    const sites = await startSites({ 'acme.localhost/auth.md': text })
    const notHere = new Map()
    let now = 0
    const run = async () => {
      sites.seen.length = 0
      const profile = await sites.discover('acme.localhost', { notHere, now: () => now })
      expect(factOf(profile, 'claim_uri')).toBeDefined()
      return sites.seen.length
    }
    const [fresh, warm] = [await run(), await run()]
    expect([fresh, warm]).toEqual([6, 2])
    now = 10 * 60_000
    expect(await run()).toBe(fresh)
  })
})

describe('limits', () => {
  it('asks one host for three things at a time', async () => {
    const sites = await startSites({}, 30)
    await sites.discover('api.acme.localhost/v1')
    expect(sites.mostAtOnce()).toBe(3)
  })

  it('asks for no more than 16 things', async () => {
    const base = 'http://api.acme.localhost:{port}'
    const servers = Array.from({ length: 50 }, (_, n) => `${base}/as${n}`)
    const sites = await startSites({
      'api.acme.localhost/.well-known/oauth-protected-resource': {
        body: {
          resource: base,
          authorization_servers: servers,
          resource_documentation: `${base}/a.md`,
        },
      },
    })
    const profile = await sites.discover('api.acme.localhost/v1')
    expect(sites.seen.length).toBeLessThanOrEqual(16)
    expect(profile.tried.filter(({ wave }) => wave === 2).length).toBeLessThanOrEqual(6)
  })
})

it('looks at an index only when nothing else is there', async () => {
  const sites = await startSites({
    'acme.localhost/llms.txt': {
      type: 'text/plain',
      body: '# Acme\n\n- [auth](http://help.acme.localhost:{port}/agents/auth.md)\n',
    },
    'help.acme.localhost/agents/auth.md': '**claim_uri:** http://acme.localhost:{port}/claim',
  })
  const profile = await sites.discover('acme.localhost')
  expect(factOf(profile, 'claim_uri')?.source.url).toBe(
    sites.url('help.acme.localhost/agents/auth.md'),
  )
})

it('reads an answer in Markdown as the auth.md', async () => {
  const sites = await startSites({
    'acme.localhost/agents': '**claim_uri:** http://acme.localhost:{port}/claim',
  })
  const profile = await sites.discover('acme.localhost/agents')
  expect(profile.documents[0]).toMatchObject({ url: sites.url('acme.localhost/agents') })
})

it.each([
  ['an empty answer', '', 'not here: empty'],
  ['an answer beyond the limit', 'x'.repeat(1_100_000), 'not used: too large'],
  ['a text about something else', '# Cats\n\nThey sleep.', 'not used: it says nothing of use'],
])('does not use %s', async (_, body, verdict) => {
  const sites = await startSites({ 'acme.localhost/auth.md': { type: 'text/markdown', body } })
  const profile = await sites.discover('acme.localhost')
  expect(profile.documents).toEqual([])
  expect(verdicts(profile)['acme.localhost/auth.md']).toBe(verdict)
})

it('gives a profile without facts where nothing is', async () => {
  const sites = await startSites({})
  const profile = await sites.discover('acme.localhost')
  expect(profile).toMatchObject({ facts: [], documents: [], service: sites.url('acme.localhost') })
  expect(profile.tried.length).toBeGreaterThan(8)
})

it.each([
  ['not a url', 'invalid_url'],
  ['', 'invalid_url'],
  ['ftp://svc.test/', 'invalid_url'],
  ['http://svc.test/', 'invalid_url'],
  ['https://me:pw@svc.test/', 'invalid_url'],
  ['https://10.0.0.1/', 'address_refused'],
  ['http://127.0.0.1:1/', 'network_failed'],
])('refuses %j', async (asked, code) => {
  await expect(discover(asked, deps)).rejects.toMatchObject({ name: 'AuthError', code })
})

it('refuses loopback that the application did not allow', async () => {
  const strict = createGuardedFetch({ transport: nodeTransport() })
  const asked = discover('http://127.0.0.1:9/', { ...deps, fetch: strict })
  await expect(asked).rejects.toMatchObject({ code: 'address_refused' })
})
