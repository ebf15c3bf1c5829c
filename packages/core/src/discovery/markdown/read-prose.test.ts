import { describe, expect, it } from 'vitest'
import type { Fact, FactName } from '../profile.ts'
import { readDocument } from './read.ts'

const url = 'https://svc.example/auth.md'

/** The facts of these names that a text states, without requests. */
function stated(text: string, ...names: readonly FactName[]): string[] {
  const facts = readDocument(text, { url }).facts.filter(
    ({ name, denied }) => names.includes(name) && !denied,
  )
  return facts.map(({ mode, written, value }: Fact) =>
    [mode, written ?? value].filter(Boolean).join(' '),
  )
}

describe('types of identity', () => {
  it.each([
    [
      '- `identity_types_supported`: `["anonymous", "service_auth"]`',
      ['anonymous', 'service_auth'],
    ],
    ['- supported identity type: `service_auth`', ['service_auth']],
    ['Only one identity type is taken: `anonymous`.', ['anonymous']],
    [
      '| Identity type | When |\n|---|---|\n| `anonymous` | always |\n| **service_auth** | with an address |',
      ['anonymous', 'service_auth'],
    ],
    [
      '| Field | Value |\n|---|---|\n| Supported identity types | `none`, `anonymous` |',
      ['none', 'anonymous'],
    ],
    ['```http\nPOST /agent/identity\n\n{ "type": "anonymous" }\n```', ['anonymous']],
    [
      'POST to `/join` with:\n\n```json\n{ "identity_type": "service_auth" }\n```',
      ['service_auth'],
    ],
    ['```json\n{ "type": "anonymous" }\n```', []],
    ['Look at `identity_types_supported` and at `credential_types_supported`.', []],
    [
      '`identity_types_supported`: `["anonymous"]`\n\n```http\nPOST /a\n\n{"type":"service_auth"}\n```',
      ['anonymous'],
    ],
  ])('%j', (text, expected) => {
    expect(stated(text, 'identity_type')).toEqual(expected)
  })
})

describe('where the API is', () => {
  it.each([
    [
      'The boxes API at `https://api.svc.example/v2` answers in JSON.',
      ['https://api.svc.example/v2'],
    ],
    ['Endpoints live at `https://api.svc.example`.', ['https://api.svc.example']],
    [
      'Keys work for the HTTP API at `https://api.svc.example/v1/*` too.',
      ['https://api.svc.example/v1'],
    ],
    [
      'Hosts: `https://api.svc.example` (the resource server) and another.',
      ['https://api.svc.example'],
    ],
    [
      'The examples use `https://svc.example` as both the resource server and the rest.',
      ['https://svc.example'],
    ],
    ['```\ncurl https://svc.example/api/boxes\n```', ['https://svc.example']],
    ['```\nPOST https://svc.example/oauth2/token\n```', []],
    ['```\nGET https://YOUR_HOST/api/boxes\n```', []],
    [
      'Base URL: `https://api.svc.example/v3`\n\n```\ncurl https://svc.example/api/boxes\n```',
      ['https://api.svc.example/v3'],
    ],
    ['Sign in at `https://svc.example/login` to see it.', []],
  ])('%j', (text, expected) => {
    expect(stated(text, 'use_base_url')).toEqual(expected)
  })
})

describe('where the MCP server is', () => {
  it.each([
    ['On every call to `/mcp` it is sent.', ['/mcp']],
    ['Connect to:\n\n```\nhttps://mcp.svc.example/mcp\n```', ['https://mcp.svc.example/mcp']],
    ['```http\nPOST https://svc.example/v2/mcp\n```', ['https://svc.example/v2/mcp']],
    ['- MCP server: <https://svc.example/docs/mcp>', []],
    ['There is no MCP server at `https://svc.example/mcp`.', []],
  ])('%j', (text, expected) => {
    expect(stated(text, 'mcp_url')).toEqual(expected)
  })
})

describe('errors', () => {
  it.each([
    ['A wrong code returns `401 invalid_user_code`, and one tries again.', ['invalid_user_code']],
    ['Without a plan it answers `payment_required`.', ['payment_required']],
    ['It is refused with a `workspace_required` error.', ['workspace_required']],
    ['Requests without a token receive `401 Unauthorized`.', ['401']],
    ['On `slow_down`, wait longer.', ['slow_down']],
    ['It returns a `claim_token`.', []],
    [
      '## Errors\n\n`not_here`, `forbidden`, and `too_fast`.',
      ['not_here', 'forbidden', 'too_fast'],
    ],
    [
      '```bash\n# errors: bad_body -> mend it; invalid_hint -> ask\n```',
      ['bad_body', 'invalid_hint'],
    ],
    ['- `401` `{"error": {"code": "UNAUTHORIZED"}}`: sign in again', ['UNAUTHORIZED']],
  ])('%j', (text, expected) => {
    expect(stated(text, 'error_status', 'error_code')).toEqual(expected)
  })
})

describe('places in sentences', () => {
  const places: readonly FactName[] = [
    'resource',
    'authorization_server',
    'register_uri',
    'claim_uri',
    'revocation_uri',
  ]

  it.each([
    ['The `resource` identifier is `https://svc.example`.', ['https://svc.example']],
    [
      'The `authorization_servers` list — `https://a.example` and `https://b.example` — is whole.',
      ['https://a.example', 'https://b.example'],
    ],
    [
      'POST to the `registration_endpoint` of the metadata: `https://svc.example/clients`',
      ['programmatic https://svc.example/clients'],
    ],
    ['The resource server is `https://api.svc.example`.', ['https://api.svc.example']],
    [
      '- File service protected resource: `https://files.svc.example/`',
      ['https://files.svc.example/'],
    ],
    [
      'Create an application at <https://dev.svc.example>.',
      ['interactive https://dev.svc.example'],
    ],
    [
      'To end a key, POST `token=…` (form-encoded) to `https://svc.example/oauth2/revoke`.',
      ['programmatic https://svc.example/oauth2/revoke'],
    ],
    [
      'Tokens can be revoked at `https://svc.example/api/end`.',
      ['programmatic https://svc.example/api/end'],
    ],
    [
      '# A\n\n## Register / claim\n\n```\nPOST https://svc.example/v0/provision\n```',
      ['programmatic https://svc.example/v0/provision'],
    ],
    [
      '# A\n\n## Claim\n\n```\nGET https://svc.example/authorize?client_id=x\n```',
      ['interactive https://svc.example/authorize'],
    ],
    [
      '- Console: `https://svc.example/console`, where a person makes keys\n- Create one at `https://svc.example/console/keys`. It is an API key.',
      ['interactive https://svc.example/console/keys', 'interactive https://svc.example/console'],
    ],
    ['There is no `register_uri`; `https://svc.example/join` is for people of ours.', []],
  ])('%j', (text, expected) => {
    expect(stated(text, ...places)).toEqual(expected)
  })
})

describe('what is denied', () => {
  it.each([
    ['There is no token exchange, dynamic client registration, or anything like it.', 'oauth-dcr'],
    ['It takes bearer tokens, not dynamic client registration.', 'oauth-dcr'],
    ['Dynamic client registration (RFC 7591) is intentionally disabled.', 'oauth-dcr'],
    ['The platform does not run open dynamic client registration.', 'oauth-dcr'],
    ['Do not use these here:\n\n- `anonymous`', 'anonymous'],
    ['| Way | Supported |\n|---|---|\n| ID-JAG | No |', 'id-jag'],
    ['Este dominio no publica un servidor con device flow.', 'device-flow'],
    ['Es gibt keinen device flow.', 'device-flow'],
  ])('%j', (text, method) => {
    const { facts } = readDocument(text, { url })
    expect(facts.filter(({ name }) => name === 'method')).toMatchObject([
      { value: method, denied: true },
    ])
  })

  it('an address in a list of what is not published', () => {
    const text =
      'No publica `/.well-known/openid-configuration` ni `/.well-known/oauth-protected-resource`.'
    expect(stated(text, 'prm_url', 'as_metadata_url')).toEqual([])
  })
})

describe('methods', () => {
  it.each([
    ['Agents need no credential at all.', ['none-required']],
    ['The server is public and unauthenticated.', ['none-required']],
    ['## Public endpoints (no auth required)\n\n`GET /v1/x`', []],
    ['`GET /health` needs no authentication.', []],
    ['- **Anonymous, no body.** It gives a key.', ['anonymous']],
    ['The user creates an API key in the dashboard.', ['api-key-portal']],
    [
      'The only credential is an API key. The user issues it from `https://svc.example/api-keys`.',
      ['api-key-portal'],
    ],
  ])('%j', (text, expected) => {
    expect(stated(text, 'method')).toEqual(expected)
  })
})

describe('headers', () => {
  it.each([
    ['Pay with `Authorization: Payment` or `X-Payment`.', ['Authorization: Payment', 'X-Payment']],
    ['Or as a `?token=` query parameter.', ['?token=']],
  ])('%j', (text, expected) => {
    expect(stated(text, 'header_scheme')).toEqual(expected)
  })
})

describe('what is an auth.md', () => {
  it.each([
    ['# auth.md\n\nYou are an agent.\n\n**register_uri:** https://svc.example/join', true],
    [
      '# Access for agents\n\nAn agent is given an API key that its user creates in the dashboard.',
      true,
    ],
    [
      '# Auth driver\n\nSet `auto_connect` to false, and authenticate with an API key header: `Authorization: Bearer x`.',
      false,
    ],
    [
      '# Authentication\n\nAn authenticator has this signature: `authenticator(socket, callback)`.',
      false,
    ],
    ['', false],
  ])('%j', (text, expected) => {
    expect(readDocument(text, { url }).isAuthMd).toBe(expected)
  })
})
