import { describe, expect, it } from 'vitest'
import type { FactName } from '../profile.ts'
import { readDocument } from './read.ts'

/** The facts of these names that a text states, as they are written; what it denies begins with a "-". */
function facts(text: string, ...names: readonly FactName[]): string[] {
  return readDocument(text, { url: 'https://svc.example/auth.md' })
    .facts.filter(({ name }) => names.includes(name))
    .map(({ value, written, denied }) => `${denied ? '-' : ''}${written ?? value}`)
}

describe('denials', () => {
  it.each([
    [
      'An ID-JAG of type `urn:ietf:params:oauth:token-type:id-jag`, and the auth.md exchange, are not accepted.',
      ['-id-jag'],
    ],
    ['We do not issue access tokens in the dashboard.', []],
    ['The service does not create accounts or issue API keys in its portal.', []],
    ['Still missing: metadata of the resource, ID-JAG intake from others.', ['-id-jag']],
    ['What is missing today:\n\n- ID-JAG intake\n- the device flow', ['-id-jag', '-device-flow']],
    ['## Not supported\n\n| What | Why |\n|---|---|\n| ID-JAG | nobody asked |', ['-id-jag']],
    [
      'Authorization code works. Client credentials flow is not.',
      ['-client-credentials', 'oauth-authcode'],
    ],
    ['Do not probe or send requests to a device flow.', ['-device-flow']],
    ['## On the roadmap\n\n- ID-JAG by trusted parties', ['-id-jag']],
    ['PKCE is not optional: S256 is the only method advertised.', ['oauth-authcode']],
    ['Do not attempt dynamic client registration.', ['-oauth-dcr']],
    ['Вход по ID-JAG не поддерживается.', ['-id-jag']],
    ['## Errors\n\n- `400`: unknown grant (only `client_credentials` is known)', []],
    ['Why that grant (and not `urn:ietf:params:oauth:grant-type:device_code`)?', ['-device-flow']],
  ])('%j', (text, expected) => {
    expect(facts(text, 'method')).toEqual(expected)
  })

  it('metadata that a list or Russian words call missing is not there', () => {
    const metadata = '`/.well-known/oauth-protected-resource`'
    const said = (text: string) => facts(text, 'prm_url')
    expect(said(`Not yet published:\n\n- Resource metadata at ${metadata}`)).toEqual([
      '-/.well-known/oauth-protected-resource',
    ])
    expect(said(`Метаданные (${metadata}) намеренно не публикуются.`)).toEqual([
      '-/.well-known/oauth-protected-resource',
    ])
    for (const words of [
      'The absence of M is deliberate.',
      'M and others are intentionally absent.',
    ]) {
      expect(said(words.replace('M', metadata))).toEqual(['-/.well-known/oauth-protected-resource'])
    }
    expect(said(`Read ${metadata} first.`)).toEqual(['/.well-known/oauth-protected-resource'])
  })
})

describe('what is only planned', () => {
  const addresses =
    'OAuth registration: `https://svc.example/agents/register`\nCredential claim: `https://svc.example/agents/claim`'
  const names = ['register_uri', 'claim_uri', 'method', 'request'] as const

  it.each([
    `## Planned authentication\n\n${addresses}`,
    `## Agent access (coming soon)\n\n${addresses}`,
    `## Agent access\n\n${addresses}\n\nThese endpoints are reserved placeholders and answer 503.`,
  ])('is not to be had: %j', (text) => {
    const found = facts(text, ...names)
    expect(found).toContain('-https://svc.example/agents/register')
    expect(found).toContain('-https://svc.example/agents/claim')
    expect(found.filter((one) => !one.startsWith('-'))).toEqual([])
  })

  it('a request of such a section is none', () => {
    const request = '```http\nPOST https://svc.example/agents/register\n```'
    expect(facts(`## Future plans\n\n${request}`, 'request')).toEqual([])
    expect(facts(`## Register\n\n${request}`, 'request')).toHaveLength(1)
  })

  it.each([
    `## Agent access\n\n${addresses}`,
    `## Agent access\n\n${addresses}\n\nThese endpoints are rate limited.`,
    `## Reserved words\n\nNone.\n\n## Agent access\n\n${addresses}`,
  ])('where it is not said, it is there: %j', (text) => {
    expect(facts(text, 'register_uri', 'claim_uri')).toEqual([
      'https://svc.example/agents/register',
      'https://svc.example/agents/claim',
    ])
  })
})

describe('ways in, in other words', () => {
  const client =
    '## Register\n\nAgents register anonymously.\n\n1. Dynamic client registration: `POST https://svc.example/oauth/register`\n2. Authorization code with PKCE.'
  it.each([
    [
      'The MCP server and the read API need no authentication. Else send `X-API-Key`.',
      'none-required',
    ],
    ['The public data need no more: anonymous, no auth.', 'none-required'],
    ['No credentials are issued or required.', 'none-required'],
    ['Read all pages without registration or credentials.', 'none-required'],
    [
      'While no token is required, say who you are, in this header:\n\nElse send `X-API-Key`.',
      'none-required',
    ],
    ['Call it with no key: the answer is a 402.\n\nElse send `X-API-Key`.', ''],
    ['Free, no key required:\n\n- `GET /health`\n\nElse send `X-API-Key`.', ''],
    [
      '# auth.md\n\n## Registration\n\n### Anonymous\n\n- **Endpoint:** `https://svc.example/agents`',
      'anonymous',
    ],
    ['## Access\n\n- **Anonymous** — all endpoints are public.', 'none-required'],
    ['```json\n{ "client_name": "a", "redirect_uris": [] }\n```', 'oauth-dcr'],
    ['For unattended runs, the human then mints a workspace API key.', 'api-key-portal'],
    [
      'Access takes OAuth 2.1 Client Credentials.\n\nGrant: `client_credentials`',
      'client-credentials',
    ],
    [
      '1. Register at https://svc.example/register.\n2. An API token is minted.\n3. Revoke it in the dashboard.',
      'api-key-portal',
    ],
    ['No endpoint issues or accepts API keys.', 'none-required'],
    ['Nothing here takes a key.', 'none-required'],
    ['Access: no token required for public content.\n\nElse send `X-API-Key`.', ''],
    ['Любая страница доступна без аутентификации.', 'none-required'],
    ['Start a device login and show the code.', 'device-flow'],
    ['```json\n{ "client_name": "a", "redirect_uris": [] }\n```', 'oauth-dcr'],
    ['For unattended runs, the human then mints a workspace API key.', 'api-key-portal'],
    ['```json\n{ "device_code": "d", "user_code": "AB-CD" }\n```', 'device-flow'],
    ['## Register\n\n`POST /agents`\n\nRegistration is open, anonymous and quick.', 'anonymous'],
    [
      'Sign-in by authorization code. Most content is open without authentication.',
      'oauth-authcode',
    ],
    // Whom a person has to let in is not let in unasked.
    [client, 'oauth-authcode oauth-dcr'],
    // Nothing is registered at a document.
    ['- register_uri: `https://svc.example/auth.md`\n\nIdentity types:\n\n- `anonymous`', ''],
  ])('%j', (text, expected) => {
    const found = facts(text, 'method').filter((one) => !one.startsWith('-'))
    expect(found.toSorted().join(' ')).toBe(expected)
  })
})

describe('addresses', () => {
  it.each([
    [
      '- Base URL: https://svc.example\n- API base URL: https://svc.example/v2',
      'use_base_url',
      'https://svc.example/v2',
    ],
    ['- Issuer origin: `https://id.svc.example`', 'authorization_server', 'https://id.svc.example'],
    [
      'The authorization server is `https://id.svc.example`.',
      'authorization_server',
      'https://id.svc.example',
    ],
    [
      '- **API** — `https://api.svc.example` — the resource server that you call',
      'resource',
      'https://api.svc.example',
    ],
    [
      '| Resource | Identifier |\n|---|---|\n| Gateway API | `https://gw.svc.example/` |',
      'resource',
      'https://gw.svc.example/',
    ],
    [
      '- The API: `POST https://svc.example/api/v1/drafts/new`',
      'use_base_url',
      'https://svc.example/api/v1',
    ],
    [
      '```\nBASE   https://svc.example\nMCP    https://svc.example/mcp   (streamable)\n```',
      'mcp_url',
      'https://svc.example/mcp',
    ],
    ['| [`/mcp`](https://svc.example/developers/mcp) | POST |', 'mcp_url', '/mcp'],
    [
      '- **Identity types**: `agent_of_a_person`, `automatic`',
      'identity_type',
      'agent_of_a_person',
    ],
  ] as const)('%j', (text, name, expected) => {
    expect(facts(text, name)[0]).toBe(expected)
  })

  it('one of several requests is no base', () => {
    expect(facts('- JSON API: `/api/streets?q=`, `/api/streets/:id`', 'use_base_url')).toEqual([])
    expect(
      facts('Send a POST request to `https://svc.example/auth/register`.', 'use_base_url'),
    ).toEqual([])
  })

  it.each([
    [
      '## Registration\n\n- **Endpoint:** `https://svc.example/agents`',
      'register_uri',
      'https://svc.example/agents',
    ],
    [
      'The user issues an API key at `https://dashboard.svc.example`.',
      'claim_uri',
      'https://dashboard.svc.example',
    ],
    [
      '| URL | Method | For |\n|---|---|---|\n| `/c/new` | POST | Start claim ceremony |',
      'claim_uri',
      '/c/new',
    ],
    [
      '| URL | For |\n|---|---|\n| `https://svc.example/end` | Revoke access token |',
      'revocation_uri',
      'https://svc.example/end',
    ],
    [
      'We know two identity types:\n\n| Type | For |\n|---|---|\n| `of_a_person` | you |',
      'identity_type',
      'of_a_person',
    ],
    ['It declares `identity_types_supported: ["anonymous"]`.', 'identity_type', 'anonymous'],
    ['## Register\n\n```json\n{ "type": "service_auth" }\n```', 'identity_type', 'service_auth'],
    ['## Register\n\n- Body: `{"identity_type": "service_auth"}`', 'identity_type', 'service_auth'],
    ['- `identity_types_supported`: ["service_auth"]', 'identity_type', 'service_auth'],
    ['## Supported identity types\n\n- agent: a program', 'identity_type', 'agent'],
    ['## Get an assertion\n\n```\nPOST /agent/identity\n```', 'register_uri', '/agent/identity'],
    [
      '`type` is one of `identity_types_supported`:\n\n- `service_auth` — by mail',
      'identity_type',
      'service_auth',
    ],
    ['Errors: `401` = no key.', 'error_status', '401'],
    ['A second one returns **409** `already_there`.', 'error_status', '409'],
  ] as const)('%j', (text, name, expected) => {
    expect(facts(text, name)).toEqual([expected])
  })

  it('a folder of a repository is no MCP server', () => {
    expect(facts('Source: `https://code.example/a/b/tree/main/mcp`', 'mcp_url')).toEqual([])
  })
})
