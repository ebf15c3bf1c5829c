import { describe, expect, it } from 'vitest'
import { AuthError } from '../errors.ts'
import {
  ownerOfWellKnown,
  readResourceMetadata,
  readServerMetadata,
  resourceMetadataUrlsOf,
  serverFacts,
  serverMetadataUrls,
} from './metadata.ts'

const url = 'https://svc.test/.well-known/oauth-protected-resource'
const resource = (value: unknown, asked: string) =>
  readResourceMetadata(JSON.stringify({ resource: value }), { url, asked })
const server = (data: object, issuer = 'https://as.test', check = (_: string) => {}) =>
  readServerMetadata(JSON.stringify(data), { url: `${issuer}/x`, issuer, check })

describe('whose resource metadata is', () => {
  /** @see modelcontextprotocol/typescript-sdk#1968 */
  it('takes an empty path and "/" for the same and gives the text back unchanged', () => {
    const reading = resource('https://svc.test', 'https://svc.test/')
    expect(reading).toMatchObject({ ok: { resource: 'https://svc.test' }, warnings: [] })
  })

  /** @see modelcontextprotocol/python-sdk#1264 */
  it('takes a parent path with a warning', () => {
    const reading = resource('https://svc.test/', 'https://svc.test/mcp')
    expect(reading).toMatchObject({ ok: { resource: 'https://svc.test/' } })
    expect('warnings' in reading && reading.warnings).toHaveLength(1)
  })

  /** @see modelcontextprotocol/python-sdk#1400 */
  it.each([
    ['another origin', 'https://other.test/mcp'],
    ['another scheme', 'http://svc.test/mcp'],
    ['another port', 'https://svc.test:8443/mcp'],
    ['a path that only begins alike', 'https://svc.test/mc'],
    ['a path beside it', 'https://svc.test/other'],
    ['no URL', 'svc.test/mcp'],
    ['a user in it', 'https://a@svc.test/mcp'],
  ])('refuses %s', (_, value) => {
    expect(resource(value, 'https://svc.test/mcp')).toHaveProperty('refused')
  })

  it.each([
    ['[]'],
    ['{"resource":7}'],
    ['{'],
    [''],
    ['{"__proto__":{"resource":"https://svc.test"}}'],
  ])('refuses %s', (body) => {
    const reading = readResourceMetadata(body, { url, asked: 'https://svc.test' })
    expect(reading).toEqual({ refused: 'no protected-resource metadata' })
  })

  it('reads lists as they come', () => {
    const body =
      '\uFEFF{"resource":"https://svc.test","authorization_servers":"https://as.test","scopes_supported":["a b",7,"c"]}'
    const reading = readResourceMetadata(body, { url, asked: 'https://svc.test' })
    expect(reading).toMatchObject({
      ok: { authorizationServers: ['https://as.test'], scopes: ['a', 'b', 'c'] },
    })
  })
})

describe('whose server metadata is', () => {
  it('refuses another issuer', () => {
    expect(server({ issuer: 'https://evil.test' })).toHaveProperty('refused')
    expect(server({ issuer: 'https://as.test/realms/a' })).toHaveProperty('refused')
    expect(server({ issuer: 'https://as.test/a' }, 'https://as.test/a/')).toHaveProperty('refused')
  })

  it('does not mind the slash of an empty path', () => {
    expect(server({ issuer: 'https://as.test/' })).toHaveProperty('ok.issuer', 'https://as.test/')
  })

  it('takes a document without issuer where it says something', () => {
    expect(server({ agent_auth: { skill: '/auth.md' } })).toHaveProperty(
      'ok.skill',
      'https://as.test/auth.md',
    )
    expect(server({ hello: 1 })).toEqual({ refused: 'no authorization-server metadata' })
  })

  /** @see google-gemini/gemini-cli PR 29081 */
  it('leaves out addresses that are refused', () => {
    const check = (address: string): void => {
      if (address.includes('127.0.0.1')) throw new AuthError('address_refused', 'no')
    }
    const reading = server(
      {
        issuer: 'https://as.test',
        token_endpoint: 'http://127.0.0.1:9/',
        agent_auth: { claim_endpoint: 'http://127.0.0.1/', identity_endpoint: 'https://as.test/i' },
      },
      'https://as.test',
      check,
    )
    expect(reading).toMatchObject({
      ok: { raw: { agent_auth: { identity_endpoint: 'https://as.test/i' } } },
    })
    expect(JSON.stringify(reading)).not.toContain('127.0.0.1')
    expect('warnings' in reading && reading.warnings).toHaveLength(2)
  })
})

it('states what metadata states', () => {
  const facts = serverFacts({
    url: 'https://as.test/m',
    raw: {
      authorization_endpoint: 'https://as.test/authorize',
      registration_endpoint: 'https://as.test/register',
      revocation_endpoint: 'https://as.test/revoke',
      grant_types_supported: ['authorization_code', 'client_credentials'],
      agent_auth: {
        identity_endpoint: '/agent/identity',
        claim_endpoint: 'https://as.test/claim',
        identity_types_supported: ['anonymous', 'refresh'],
      },
    },
  })
  expect(
    facts.map(({ name, value, mode }) => [name, value, mode].filter(Boolean).join(' ')),
  ).toEqual([
    'as_metadata_url https://as.test/m',
    'register_uri https://as.test/agent/identity programmatic',
    'claim_uri https://as.test/claim programmatic',
    'revocation_uri https://as.test/revoke programmatic',
    'identity_type anonymous',
    'identity_type refresh',
    'method anonymous',
    'method oauth-authcode',
    'method oauth-dcr',
    'method client-credentials',
  ])
})

describe('where metadata lies', () => {
  /** @see modelcontextprotocol/typescript-sdk#744 */
  it('knows three forms for a server with a path', () => {
    expect(serverMetadataUrls('https://as.test/realms/a/')).toEqual([
      'https://as.test/.well-known/oauth-authorization-server/realms/a',
      'https://as.test/.well-known/openid-configuration/realms/a',
      'https://as.test/realms/a/.well-known/openid-configuration',
    ])
    expect(serverMetadataUrls('https://as.test/')).toHaveLength(2)
    expect(serverMetadataUrls('nonsense')).toEqual([])
  })

  it('inserts the path of a resource', () => {
    expect(resourceMetadataUrlsOf(new URL('https://svc.test/a/b/'))).toEqual([
      'https://svc.test/.well-known/oauth-protected-resource/a/b',
      'https://svc.test/.well-known/oauth-protected-resource',
    ])
  })

  it.each([
    ['https://a.test/.well-known/oauth-protected-resource', 'https://a.test'],
    ['https://a.test/.well-known/oauth-protected-resource/v1/x', 'https://a.test/v1/x'],
    ['https://a.test/r/.well-known/openid-configuration', 'https://a.test/r'],
    ['https://a.test/other', undefined],
  ])('knows whose %s is', (address, owner) => {
    expect(ownerOfWellKnown(address)).toBe(owner)
  })
})
