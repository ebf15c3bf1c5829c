import type { IncomingMessage, ServerResponse } from 'node:http'
import { AuthError } from '@authmd/core'
import { describe, expect, it } from 'vitest'
import { diagnose, renderMarkdown, renderTable } from '../src/index.ts'
import { Reader } from '../src/reader.ts'
import { keyPage } from './texts.ts'
import { startWorld, trap } from './world.ts'

const api = 'https://api.things.test'
const rulesOf = (report: { findings: readonly { rule: string }[] }) =>
  report.findings.map(({ rule }) => rule)

describe('a service that means no good', () => {
  it('is not followed into a private network', async () => {
    const { port, connections } = await trap()
    const places = [
      `http://127.0.0.1:${port}/`,
      `https://127.0.0.1:${port}/a`,
      `https://localhost:${port}/a`,
      'https://10.0.0.1/a',
      'https://169.254.169.254/latest',
      'https://[::1]/a',
      'https://db.internal/a',
    ]
    const text = `${keyPage(api)}\n${places.map((one) => `- [more](${one}) \`GET ${one}\` **token_endpoint:** ${one}`).join('\n')}\n`
    const { transport, seen } = await startWorld({
      'api.things.test/auth.md': text,
      'api.things.test/.well-known/oauth-protected-resource': {
        body: { resource: api, authorization_servers: places },
      },
      'api.things.test/moved': { status: 302, headers: { location: `http://127.0.0.1:${port}/` } },
      'api.things.test/': {
        status: 401,
        headers: {
          'www-authenticate': places.map((one) => `Bearer resource_metadata="${one}"`).join(', '),
        },
      },
    })
    const report = await diagnose({ service: api }, { transport })
    expect(rulesOf(report)).toContain('endpoint-private')
    expect(connections()).toBe(0)
    const hosts = new Set(seen.map((one) => one.replace(/^\w+ ([^/]*).*/, '$1')))
    expect([...hosts].sort()).toEqual([
      'api.things.test',
      'developers.things.test',
      'docs.things.test',
      'things.test',
    ])
  })

  it('does not make the doctor ask for ever', async () => {
    const links = Array.from({ length: 5_000 }, (_, n) => `- [more](${api}/more/${n})`).join('\n')
    const { transport, seen } = await startWorld({
      'api.things.test/auth.md': `${keyPage(api)}\n${links}\n`,
    })
    const report = await diagnose({ service: api }, { transport })
    expect(report.asked.length).toBeLessThanOrEqual(90)
    expect(seen.length).toBeLessThanOrEqual(100)
    expect(rulesOf(report).filter((one) => one === 'link-dead')).toHaveLength(10)
  })

  const withSlowLink = (request: IncomingMessage, response: ServerResponse) => {
    const { url, headers } = request
    if (url === '/slow') return
    if (url === '/auth.md' && headers.host === 'api.things.test') {
      response.writeHead(200, { 'content-type': 'text/markdown' })
      response.end(`${keyPage(api)}\n[more](${api}/slow)\n`)
    } else response.writeHead(url === '/settings/keys' ? 200 : 404).end()
  }

  it('is given up on when it does not answer', async () => {
    const { transport } = await startWorld(withSlowLink)
    const report = await diagnose({ service: api }, { transport, limits: { timeoutMs: 2_500 } })
    expect(rulesOf(report)).toEqual(['link-failing'])
  })

  it('is judged by what there is when all of the time is over', async () => {
    const { transport } = await startWorld(withSlowLink)
    const report = await diagnose({ service: api }, { transport, timeoutMs: 4_000 })
    // Nobody knows whether it would have been there.
    expect(rulesOf(report)).toEqual([])
    expect(report.asked.find(({ url }) => url.endsWith('/slow'))?.error).toBe('response_timeout')
  })

  it('redirects in a circle', async () => {
    const { transport } = await startWorld({
      'api.things.test/auth.md': `${keyPage(api)}\n[more](${api}/a)\n`,
      'api.things.test/a': { status: 302, headers: { location: '/b' } },
      'api.things.test/b': { status: 302, headers: { location: '/a' } },
      'api.things.test/': {
        status: 401,
        headers: { 'www-authenticate': `Bearer resource_metadata="${api}/a"` },
      },
    })
    const report = await diagnose({ service: api }, { transport })
    expect(rulesOf(report)).toEqual(expect.arrayContaining(['link-dead', 'prm-unreadable']))
  })

  it('answers with more than anybody reads', async () => {
    const { transport } = await startWorld({
      'api.things.test/auth.md': `# auth.md\n\n${'x '.repeat(1_000_000)}`,
    })
    const report = await diagnose({ service: api }, { transport })
    expect(rulesOf(report)).toEqual(['document-cut'])
  })

  it('cannot be reached, or is no service', async () => {
    const code = async (service: string) => {
      const error = await diagnose({ service }).catch((one: unknown) => one)
      return AuthError.isInstance(error) ? error.code : error
    }
    expect(await code('https://10.0.0.1')).toBe('address_refused')
    expect(await code('http://things.test')).toBe('invalid_url')
    expect(await code('nothing')).toBe('invalid_url')
    const { port } = await trap()
    expect(await code(`http://localhost:${port}`)).toBe('network_failed')
  })

  it('is left when the caller aborts', async () => {
    const { transport } = await startWorld(() => {})
    const signal = AbortSignal.timeout(200)
    const error = await diagnose({ service: api }, { transport, signal }).catch(
      (one: unknown) => one,
    )
    expect(error).toMatchObject({ code: 'aborted' })
  })
})

it('sends nothing but GET and HEAD, whoever asks', async () => {
  const sent: unknown[] = []
  const guarded = async (request: unknown) => {
    sent.push(request)
    throw new Error('it was sent')
  }
  const reader = new Reader(guarded, api, { timeoutMs: 1_000 })
  for (const more of [
    { method: 'POST' },
    { method: 'DELETE' },
    { method: 'post' },
    { method: 'OPTIONS' },
    { method: 'GET', body: 'x' },
    { body: 'x' },
  ]) {
    const error = await reader.fetch({ url: api, start: api, ...more }).catch((one: unknown) => one)
    expect(error, JSON.stringify(more)).toMatchObject({ code: 'invalid_input' })
  }
  expect(sent).toEqual([])
  expect(reader.asked).toEqual([])
})

describe('metadata that is no metadata', () => {
  it.each([
    ['null', 'null'],
    ['a list', '[]'],
    ['nested too deep', `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`],
    [
      'members of other types',
      JSON.stringify({
        resource: 7,
        authorization_servers: 'x',
        bearer_methods_supported: 'header',
        scopes_supported: {},
      }),
    ],
    [
      'odd members',
      JSON.stringify({
        issuer: [],
        token_endpoint: {},
        grant_types_supported: 1,
        agent_auth: 'yes',
        jwks_uri: 5,
      }),
    ],
    [
      'an odd block',
      JSON.stringify({
        issuer: api,
        agent_auth: {
          identity_types_supported: [null, 1, {}],
          identity_assertion: [],
          skill: 1,
          claim_endpoint: null,
        },
      }),
    ],
    [
      'names of the language',
      '{"__proto__":{"resource":"x"},"constructor":1,"resource":"https://api.things.test"}',
    ],
  ])('%s', async (_, body) => {
    const page = { body, type: 'application/json' }
    const { transport } = await startWorld({
      'api.things.test/auth.md': keyPage(api),
      'api.things.test/.well-known/oauth-protected-resource': page,
      'api.things.test/.well-known/oauth-authorization-server': page,
    })
    const report = await diagnose({ service: api }, { transport })
    expect(report.document).toBe(`${api}/auth.md`)
    renderTable(report)
    renderMarkdown(report)
  })
})

describe('a text that is made to hurt', () => {
  const size = 300_000
  const fill = (one: string) => one.repeat(Math.ceil(size / one.length))
  it.each([
    ['nothing', ''],
    ['blanks', fill(' \n')],
    ['nested lists', fill('- ')],
    ['open brackets', fill('[[[[\n')],
    ['labels', fill('**register_uri (programmatic):** https://a.test/x\n')],
    ['labels without an end', fill('**register_uri:** ')],
    ['links', fill('[a](https://a.test/b) ')],
    ['Bearer and blanks', fill('Bearer \t ')],
    ['keys', fill('sk_live_')],
    ['one long key', `Bearer ${fill('aZ1')}`],
    ['hidden characters', fill('\u200b\u202e\u{e0041}')],
    ['blocks', `\`\`\`json\n${fill('{"agent_auth":')}\n\`\`\``],
    [
      'blocks in YAML',
      `\`\`\`yaml\nagent_auth:\n${fill(' register_uri: https://a.test\n')}\n\`\`\``,
    ],
    [
      'aliases in YAML',
      `\`\`\`yaml\nagent_auth:\n  a: &a [x]\n${fill('  - *a\n').slice(0, 15_000)}\n\`\`\``,
    ],
    ['denials', fill('no captcha, not in a browser, ')],
    ['contacts', fill('contact us, book a call. ')],
    ['tags', fill('<div hidden ')],
    ['requests', fill('`POST /a`\n\n')],
  ])('%s', async (_, text) => {
    const report = await diagnose({ text })
    expect(report.findings.length).toBeGreaterThan(0)
    expect(report.findings.length).toBeLessThan(200)
  })
})
