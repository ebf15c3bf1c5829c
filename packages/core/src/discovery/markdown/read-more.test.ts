import { describe, expect, it } from 'vitest'
import type { Fact, FactName } from '../profile.ts'
import { readDocument } from './read.ts'

const url = 'https://svc.example/auth.md'

/** The facts of these names that a text states. */
function stated(text: string, ...names: readonly FactName[]): string[] {
  const facts = readDocument(text, { url }).facts.filter(
    ({ name, denied }) => names.includes(name) && !denied,
  )
  return facts.map(({ mode, written, value }: Fact) =>
    [mode, written ?? value].filter(Boolean).join(' '),
  )
}

describe('labels in other words', () => {
  it.each([
    [
      '- Signup: https://svc.example/login?view=signup',
      'register_uri',
      'interactive https://svc.example/login?view=signup',
    ],
    ['- **Agent registration endpoint**: `/agent/new`', 'register_uri', 'programmatic /agent/new'],
    [
      '- Token Revocation Endpoint: `POST https://svc.example/end`',
      'revocation_uri',
      'programmatic https://svc.example/end',
    ],
    ['* Resource Identifier: `https://svc.example/r`', 'resource', 'https://svc.example/r'],
    ['- **Resource ID**: `https://svc.example/r`', 'resource', 'https://svc.example/r'],
    ['* Token Issuer: `https://id.svc.example`', 'authorization_server', 'https://id.svc.example'],
    ['- REST API: `https://svc.example/rest`', 'use_base_url', 'https://svc.example/rest'],
    ['- **MCP (Streamable HTTP)**: `https://svc.example/m`', 'mcp_url', 'https://svc.example/m'],
    [
      '- Agent claim URL: `https://svc.example/c`',
      'claim_uri',
      'programmatic https://svc.example/c',
    ],
  ] as const)('%j', (text, name, expected) => {
    expect(stated(text, name)).toEqual([expected])
  })

  it('a description of the API is not where the API is', () => {
    expect(stated('- REST API: `https://svc.example/openapi.json`', 'use_base_url')).toEqual([])
    expect(stated('- MCP server card: `https://svc.example/card.json`', 'mcp_url')).toEqual([])
  })
})

describe('where the API is, in other words', () => {
  it.each([
    ['## Base URL\n\n```\nhttps://svc.example/api/v1\n```', 'https://svc.example/api/v1'],
    ['All endpoints under https://svc.example/api are public.', 'https://svc.example/api'],
    [
      'Send it as `Authorization: Bearer k.e.y...` to https://api.svc.example/v1',
      'https://api.svc.example/v1',
    ],
    [
      '```\nGET https://a.svc.example/v1/x\nGET https://b.svc.example/x\nGET https://b.svc.example/y\n```',
      'https://b.svc.example',
    ],
  ])('%j', (text, expected) => {
    expect(stated(text, 'use_base_url')).toEqual([expected])
  })
})

describe('where a person makes a key, in steps', () => {
  it.each([
    [
      '1. Sign in at https://svc.example/in\n2. Open https://svc.example/account/api-keys\n3. Create a key.',
      ['interactive https://svc.example/account/api-keys'],
    ],
    [
      'API keys are created and revoked from the dashboard:\n\nhttps://svc.example/home/api-keys',
      [
        'interactive https://svc.example/home/api-keys',
        'interactive https://svc.example/home/api-keys',
      ],
    ],
    [
      'A static API key (format `svc_...`), created by a signed-in user from `https://svc.example/app/connect`.',
      ['interactive https://svc.example/app/connect'],
    ],
    ['Keys go to https://svc.example/docs/api-keys for an API key.', []],
    ['Get a token from `https://svc.example/oauth/token`.', []],
  ])('%j', (text, expected) => {
    expect(stated(text, 'claim_uri', 'revocation_uri')).toEqual(expected)
  })

  it.each([
    ['1. Sign in with your account.\n2. Open Settings.\n3. Create a key. It is shown once.'],
    ['- Open the developer portal.\n- Copy your live API key.'],
    ['Ask the user for an API token from `https://console.svc.example/settings/x`.'],
  ])('%j names the method', (text) => {
    expect(stated(text, 'method')).toEqual(['api-key-portal'])
  })
})

describe('headers that are not to be sent', () => {
  it.each([
    ['Do not send an `Authorization: Bearer` header.'],
    ['No `X-API-Key` is needed.'],
    ["Don't include `Authorization: Bearer x` in this call."],
  ])('%j', (text) => {
    expect(stated(text, 'header_scheme')).toEqual([])
  })

  it('those in plain words are read', () => {
    expect(stated('Methods: header (Authorization: Bearer <token>)', 'header_scheme')).toEqual([
      'Authorization: Bearer',
    ])
  })
})

describe('what is denied in parentheses', () => {
  it.each([
    [
      'There is no `registration_endpoint` (OAuth 2.0 Dynamic Client Registration, RFC 7591, is not offered).',
    ],
    ['It has no endpoint (device flow).'],
  ])('%j', (text) => {
    expect(stated(text, 'method')).toEqual([])
  })
})

describe('no credential at all', () => {
  it.each([
    ['Every endpoint is open to anonymous requests.', ['none-required']],
    ['This surface works without registering.', ['none-required']],
    ['| Surface | Auth |\n|---|---|\n| Search | None |', ['none-required']],
    ['No es necesario: no requiere autenticación.', ['none-required']],
    // Said of a part where a key is needed elsewhere.
    ['Read-only endpoints (`GET /a`) do not require authentication.\n\n```\nX-API-Key: k\n```', []],
    ['| Surface | Auth |\n|---|---|\n| Search | None |\n\n```\nAuthorization: Bearer k\n```', []],
  ])('%j', (text, expected) => {
    expect(stated(text, 'method')).toEqual(expected)
  })
})

describe('registering without saying who one is', () => {
  const text = (fields: string, answer: string, header = '') =>
    `# A\n\n## Register\n\n\`\`\`http\nPOST https://svc.example/agents\n${header}\n{ ${fields} }\n\`\`\`\n\nResponse:\n\n\`\`\`json\n{ ${answer} }\n\`\`\``

  it('is anonymous registration', () => {
    expect(stated(text('"name": "x"', '"api_key": "y"'), 'method')).toEqual(['anonymous'])
  })

  it.each([
    ['where a person is named', '"email": "x"', '"api_key": "y"', ''],
    ['where a key is sent', '"name": "x"', '"api_key": "y"', 'X-API-Key: k\n'],
    ['where nothing is got', '"name": "x"', '"id": "y"', ''],
  ])('is not, %s', (_, fields, answer, header) => {
    expect(stated(text(fields, answer, header), 'method')).toEqual([])
  })

  it('"anonymous access" is none', () => {
    expect(stated('This is the **anonymous** flow.', 'method')).toEqual([])
  })
})

describe('types of identity in a list of their own', () => {
  it('reads the names', () => {
    const text =
      '## Supported Identity Types\n\n- `wallet_address` — a wallet\n- `company` — a company'
    expect(stated(text, 'identity_type')).toEqual(['wallet_address', 'company'])
    expect(stated('- **Supported Identity**: `anonymous`', 'identity_type')).toEqual(['anonymous'])
  })
})

describe('methods in a list of their own', () => {
  it('reads the names', () => {
    const text = '## Supported methods\n\n- Verified email\n- Service (client credentials)'
    expect(stated(text, 'method')).toEqual(['email-otp', 'client-credentials'])
  })

  it('what a flow is only like is no method', () => {
    expect(stated('Its shape borrows from device authorization.', 'method')).toEqual([])
  })
})

describe('errors in other places', () => {
  it.each([
    ['Without payment it answers with HTTP 402.', ['402']],
    ['Treat a `401` or `403` response as a sign to ask.', ['401', '403']],
    ['## Errors\n\n```json\n{ "error": { "code": "bad_key" } }\n```', ['bad_key']],
  ])('%j', (text, expected) => {
    expect(stated(text, 'error_status', 'error_code')).toEqual(expected)
  })
})

describe('addresses in other places', () => {
  it('in a header that a sentence quotes', () => {
    const text =
      'It answers `WWW-Authenticate: Bearer resource_metadata="https://svc.example/.well-known/oauth-protected-resource"`.'
    expect(stated(text, 'prm_url')).toEqual([
      'https://svc.example/.well-known/oauth-protected-resource',
    ])
  })

  it('an answer is an example, not where all go', () => {
    const answer = (claim: string) =>
      `\`\`\`json\n{ "api_key": "x", "claim_url": "${claim}" }\n\`\`\``
    expect(stated(answer('https://svc.example/claim/the_token_here'), 'claim_uri')).toEqual([])
    expect(stated(answer('https://svc.example/claim'), 'claim_uri')).toEqual([
      'programmatic https://svc.example/claim',
    ])
  })

  it('a way to end a session ends the token', () => {
    const text = '# A\n\n## Token revocation\n\n```\nPOST https://svc.example/auth/logout\n```'
    expect(stated(text, 'revocation_uri')).toEqual(['programmatic https://svc.example/auth/logout'])
  })
})

describe('why a text is no auth.md', () => {
  const source = '- `src/auth/login.ts`, `src/auth/key.ts`, `lib/a.py`, `app/b.rb`\n'
  it.each([
    ['# Our fruit\n\nApples and pears.', 'it says nothing to agents'],
    ['# Notes for agents\n\nBe kind to each other.', 'it names no way in'],
    [
      `# Agents\n\nThe middleware does hash passwords with argon2; migrations and the users table come with Prisma.\n\n${source}\n\`Authorization: Bearer x\``,
      'it is about how software is built',
    ],
    [
      '# auth.md\n\nAgents need no authentication. The MCP server is at `https://svc.example/mcp`.',
      undefined,
    ],
  ])('%j', (text, why) => {
    expect(readDocument(text, { url }).why).toBe(why)
  })
})

describe('lines of a paragraph that each have a label', () => {
  it('are read one by one', () => {
    const text =
      '> **Issuer**: `https://svc.example`  \n> **Registration URI**: `https://svc.example/agents`\n'
    expect(stated(text, 'authorization_server', 'register_uri')).toEqual([
      'https://svc.example',
      'programmatic https://svc.example/agents',
    ])
  })

  it('sentences that break in the middle are not', () => {
    expect(stated('The issuer and\nthe claim: see `https://svc.example/x`', 'claim_uri')).toEqual(
      [],
    )
  })
})

describe('tables and sections of one thing', () => {
  it('a table of resources and identifiers', () => {
    const text = '| Resource | Identifier |\n|---|---|\n| The API | `https://api.svc.example/` |'
    expect(stated(text, 'resource')).toEqual(['https://api.svc.example/'])
  })

  it('a section on registering that holds a page only', () => {
    expect(
      stated('# A\n\n## Register an application\n\nhttps://dev.svc.example', 'register_uri'),
    ).toEqual(['interactive https://dev.svc.example'])
    expect(stated('# A\n\n## Notes\n\nhttps://dev.svc.example', 'register_uri')).toEqual([])
  })

  it('a heading says what it is about outside of its parentheses', () => {
    const text = '# A\n\n## Register (one call)\n\n```\nPOST https://svc.example/registry\n```'
    expect(stated(text, 'register_uri')).toEqual(['programmatic https://svc.example/registry'])
  })
})

describe('signing up in other words', () => {
  it.each([
    ['Register a business account: https://svc.example/onboarding/'],
    ['**Create a user account** at https://svc.example/onboarding/'],
  ])('%j', (text) => {
    expect(stated(text, 'register_uri')).toEqual(['interactive https://svc.example/onboarding/'])
  })
})

describe('keys of metadata in other sentences', () => {
  it.each([
    ['It publishes a `register_uri` at `https://svc.example/agent`.'],
    ['POST client metadata to `register_uri` (`https://svc.example/agent`).'],
  ])('%j', (text) => {
    expect(stated(text, 'register_uri')).toEqual(['programmatic https://svc.example/agent'])
  })

  it('metadata is no issuer', () => {
    const text =
      'Its `authorization_servers` lists `https://svc.example/.well-known/oauth-authorization-server`.'
    expect(stated(text, 'authorization_server')).toEqual([])
  })
})

describe('a header behind a request in one line', () => {
  it('is read', () => {
    const text = '```\nPOST /x   Authorization: Bearer <t>   (or)   X-Svc-Key: <k>\n```'
    expect(stated(text, 'header_scheme')).toEqual(['Authorization: Bearer', 'X-Svc-Key'])
  })
})

describe('denials of lists', () => {
  it.each([
    ['`identity_assertion`, the ID-JAG type, and a `claim_token` exchange are not accepted.'],
    ['No signed assertion (e.g. an `id-jag` token) is taken.'],
    ['A profile-specific grant (and not `device_code`).'],
  ])('%j', (text) => {
    expect(stated(text, 'method')).toEqual([])
  })
})

describe('errors in tables and lists of other forms', () => {
  it.each([
    [
      '## Errors\n\n| Where | Response |\n|---|---|\n| `/token` | `400 bad_grant` |',
      ['400', 'bad_grant'],
    ],
    ['## Errors\n\n- `EAUTH` — the key is missing.', ['EAUTH']],
    ['## Errors\n\nTreat `invalid_client` as final; a `503` passes.', ['invalid_client', '503']],
    ['- A `401` means that the key is gone.', ['401']],
  ])('%j', (text, expected) => {
    expect(stated(text, 'error_status', 'error_code').sort()).toEqual(expected.sort())
  })
})

it('takes the host of a registration for the API where nothing else names one', () => {
  expect(stated('```\nPOST https://api.svc.example/register\n```', 'use_base_url')).toEqual([
    'https://api.svc.example',
  ])
  expect(stated('```\nPOST https://YOUR_HOST/register\n```', 'use_base_url')).toEqual([])
})

it.each([
  ['It requires no registration and no credential.'],
  ['No registration or OAuth token is required.'],
  ['Every endpoint answers anonymous requests.'],
])('no credential at all: %j', (text) => {
  expect(stated(text, 'method')).toEqual(['none-required'])
})

it('a design of software is no auth.md, whomever it names', () => {
  const text =
    '# Auth\n\nFor AI agents: `Authorization: Bearer x`. `src/a.ts`, `src/b.ts`.\n\n## Goals\n\nx\n\n## Data model\n\n```\nCREATE TABLE users (id)\n```\n\nThe MCP server is at `https://svc.example/mcp`. A person creates an API key in the dashboard.'
  expect(readDocument(text, { url }).why).toBe('it is about how software is built')
})
