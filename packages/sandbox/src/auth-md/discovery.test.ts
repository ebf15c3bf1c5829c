import { describe, expect, test } from 'vitest'
import { agentAt, claimGrant, idJagType, jwtBearer } from '../../test/agent.ts'
import { type AuthMdRelease, startSandbox } from '../index.ts'

const skill = 'skill'
const event = 'https://schemas.workos.com/events/agent/auth/identity/assertion/revoked'
const newer = [
  skill,
  'identity_endpoint',
  'claim_endpoint',
  'events_endpoint',
  'events_supported',
  'identity_types_supported',
  'identity_assertion',
]
const withMail = [idJagType, 'verified_email']
const two = ['anonymous', 'identity_assertion']
const three = ['anonymous', 'identity_assertion', 'service_auth']
const polled = [jwtBearer, claimGrant]

interface Row {
  fields: string[]
  types: string[]
  assertions?: string[]
  grants?: string[]
}

const table: Record<AuthMdRelease, Row> = {
  'v0.1': {
    fields: [
      skill,
      'register_uri',
      'claim_uri',
      'revocation_uri',
      'events_supported',
      'identity_types_supported',
      'anonymous',
      'identity_assertion',
    ],
    types: two,
    assertions: withMail,
  },
  'draft-register': {
    fields: newer.map((name) => (name === 'identity_endpoint' ? 'registration_endpoint' : name)),
    types: two,
    assertions: withMail,
    grants: [jwtBearer],
  },
  'v0.2': {
    fields: newer.map((name) => (name === 'events_endpoint' ? 'revocation_uri' : name)),
    types: two,
    assertions: withMail,
    grants: [jwtBearer],
  },
  'v0.3': { fields: newer, types: two, assertions: withMail, grants: [jwtBearer] },
  'v0.4': { fields: newer, types: two, assertions: withMail, grants: polled },
  'v0.5': { fields: newer, types: two, assertions: withMail, grants: polled },
  'v0.6': { fields: newer, types: three, assertions: [idJagType], grants: polled },
  'v0.7': { fields: newer, types: three, assertions: [idJagType], grants: polled },
  readback: { fields: newer, types: three, assertions: [idJagType], grants: [jwtBearer] },
  hosted: {
    fields: [skill, 'identity_endpoint', 'claim_endpoint', 'identity_types_supported'],
    types: ['anonymous', 'service_auth', 'refresh'],
    grants: [jwtBearer],
  },
}
const versions = Object.keys(table) as AuthMdRelease[]

describe.each(versions)('%s', (version) => {
  test('leads from a refused call over the metadata to the prose', async () => {
    await using sandbox = await startSandbox({ authMd: { version } })
    const agent = agentAt(sandbox)
    expect(sandbox.urls.authMd).toBe(agent.api)
    const refused = await agent.read()
    expect(refused.json).toMatchObject({ error: 'unauthorized' })
    const [, where = ''] =
      refused.headers.get('www-authenticate')?.match(/^Bearer resource_metadata="([^"]+)"$/) ?? []
    const resource = await agent.get(where)
    expect(resource.json).toEqual({
      resource: agent.api,
      resource_name: expect.any(String),
      resource_logo_uri: expect.any(String),
      authorization_servers: [agent.issuer],
      scopes_supported: ['api.read', 'api.write'],
      bearer_methods_supported: ['header'],
    })
    expect(resource.headers.get('cache-control')).toBe('public, max-age=300')
    const inserted = await agent.get(`${where}/api/resource`)
    expect(inserted.status).toBe(404)
    expect((await agent.get(resource.at('resource_logo_uri'))).status).toBe(200)

    const metadata = await agent.get(`${agent.issuer}/.well-known/oauth-authorization-server`)
    const { fields, types, assertions, grants } = table[version]
    const got = metadata.json as Record<string, unknown>
    expect(metadata.headers.get('cache-control')).toBe('public, max-age=300')
    expect(got.issuer).toBe(agent.issuer)
    expect(got.grant_types_supported).toEqual(grants)
    expect(got.token_endpoint).toBe(grants && `${agent.issuer}/oauth2/token`)
    expect(got.revocation_endpoint).toBe(grants && `${agent.issuer}/oauth2/revoke`)
    const block = got.agent_auth as Record<string, Record<string, unknown>>
    expect(Object.keys(block).sort()).toEqual([...fields].sort())
    expect(block.identity_types_supported).toEqual(types)
    expect(block.identity_assertion?.assertion_types_supported).toEqual(assertions)
    if (block.events_supported) {
      const draft = version === 'draft-register'
      expect(block.events_supported).toEqual([draft ? event.replace('/auth/', '/') : event])
    }
    if (version === 'v0.1') {
      expect(block.anonymous).toEqual({ credential_types_supported: ['api_key'] })
      expect(block.identity_assertion?.credential_types_supported).toEqual([
        'access_token',
        'api_key',
      ])
    }

    const prose = await agent.get(metadata.at('agent_auth.skill'))
    expect(prose.headers.get('content-type')).toBe('text/markdown; charset=utf-8')
    expect(prose.text).toMatch(/^# auth\.md\n/)
    const register = fields.find((name) => /^(register|registration|identity)_[ue]/.test(name))
    expect(prose.text).toContain(metadata.at(`agent_auth.${register}`))
    expect(prose.text).toContain(register?.replaceAll('_', '\\_'))
    const step =
      version === 'v0.1' ? 'Step 5 — Use the credential' : 'Step 6 — Use the access_token'
    expect(prose.text).toContain(`\n## ${step}\n`)
  })

  test('the sample leaves out what RFC 8414 asks for and ends its server with a slash', async () => {
    await using sandbox = await startSandbox({ authMd: { version, profile: 'as-sample' } })
    const agent = agentAt(sandbox)
    const resource = await agent.get(`${agent.api}/.well-known/oauth-protected-resource`)
    expect(resource.json).toMatchObject({ authorization_servers: [`${agent.issuer}/`] })
    const metadata = await agent.get(`${agent.issuer}/.well-known/oauth-authorization-server`)
    const names = Object.keys(metadata.json as object)
    expect(names).toContain('resource')
    expect(names).not.toContain('response_types_supported')
    expect(names).not.toContain('jwks_uri')
    expect(names.includes('issuer')).toBe(version !== 'v0.1')
  })
})

test('a way that is switched off is not listed', async () => {
  await using sandbox = await startSandbox({
    authMd: [{ methods: ['anonymous'] }, { version: 'v0.3', methods: ['service_auth'] }],
  })
  const block = async (at: number) => {
    const { issuer, get } = agentAt(sandbox, { at })
    const { json } = await get(`${issuer}/.well-known/oauth-authorization-server`)
    return (json as { agent_auth: Record<string, unknown> }).agent_auth
  }
  const [newest, older] = [await block(0), await block(1)]
  expect(newest.identity_types_supported).toEqual(['anonymous'])
  expect(newest).not.toHaveProperty('identity_assertion')
  expect(older.identity_types_supported).toEqual(['identity_assertion'])
  expect(older.identity_assertion).toEqual({ assertion_types_supported: ['verified_email'] })
})

test('several services run beside each other, each under a name of its own', async () => {
  await using sandbox = await startSandbox({ authMd: [{ version: 'v0.1' }, { name: 'mine' }] })
  expect(sandbox.authMd.map(({ api }) => new URL(api).hostname)).toEqual([
    'api.v0-1.localhost',
    'api.mine.localhost',
  ])
  const second = agentAt(sandbox, { at: 1 })
  const assertion = (await second.register({ type: 'anonymous' })).at('identity_assertion')
  const token = (await second.exchange(assertion)).at('access_token')
  expect((await second.read(token)).status).toBe(200)
  expect((await agentAt(sandbox).read(token)).status).toBe(401)
  await expect(startSandbox({ authMd: [{}, {}] })).rejects.toThrow('two auth.md services')
  await expect(startSandbox({ authMd: { name: 'A B' } })).rejects.toThrow('no label')
  const unknown = { version: 'v9' as AuthMdRelease }
  await expect(startSandbox({ authMd: unknown })).rejects.toThrow('there is no auth.md version v9')
})
