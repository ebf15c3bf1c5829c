import { expect, test } from 'vitest'
import { agentAt, email } from '../../test/agent.ts'
import { startSandbox } from '../index.ts'
import { personAt } from './person.ts'

const byMail = { type: 'service_auth', login_hint: email }

test('agent-artifacts: scopes at registration, a grant of its own, and 428 while it waits', async () => {
  await using sandbox = await startSandbox({ authMd: { version: 'agent-artifacts' } })
  const agent = agentAt(sandbox)
  const registered = await agent.register({ ...byMail, scopes: ['api.read'] })
  const claim_token = registered.at('claim_token')
  const grant_type = 'urn:agent-artifacts:params:oauth:grant-type:claim_token'
  const poll = () => agent.form('/oauth2/token', { grant_type, claim_token })
  expect(await poll()).toMatchObject({ status: 428, json: { error: 'authorization_pending' } })
  expect(await agent.poll(claim_token)).toMatchObject({ json: { error: 'unsupported_grant_type' } })
  const mismatch = await agent.claim({ claim_token, login_hint: 'bob@agents.example' })
  expect(mismatch).toMatchObject({ status: 400, json: { error: 'login_hint_mismatch' } })
  const uri = registered.at('claim.verification_uri')
  const code = registered.at('claim.user_code')
  expect(uri).toMatch(new RegExp(`\\?user_code=${code}$`))
  const page = await personAt(sandbox.authMd[0], email).typeCode(uri, code)
  expect(page.status).toBe(200)
  expect((await poll()).json).toMatchObject({ scope: 'api.read' })
  const again = await agent.claim({ claim_token, login_hint: email })
  expect(again).toMatchObject({ status: 409, json: { error: 'claim_already_completed' } })
})

test('agent-artifacts: switched off', async () => {
  const authMd = { version: 'agent-artifacts', methods: [] } as const
  await using sandbox = await startSandbox({ authMd })
  const got = await agentAt(sandbox).register({ type: 'anonymous' })
  expect(got).toMatchObject({ status: 403, json: { error: 'auth_md_disabled' } })
})

test('just-html: the mailed code is handed in, then the claim grant gives a key once', async () => {
  await using sandbox = await startSandbox({ authMd: { version: 'just-html' } })
  const agent = agentAt(sandbox)
  const metadata = await agent.get(`${agent.issuer}/.well-known/oauth-authorization-server`)
  expect(metadata.json).toMatchObject({
    agent_auth: {
      identity_types_supported: ['service_auth'],
      credential_types_supported: ['api_key'],
    },
  })
  expect((await agent.register({ type: 'anonymous' })).status).toBe(400)
  const registered = await agent.register(byMail)
  expect(registered.at('claim.complete_url')).toBe(`${agent.issuer}/agent/identity/claim/complete`)
  const codeIn = ({ text }: { text: string }) => text.match(/\d{6}/)?.[0] ?? ''
  const first = await sandbox.mail.waitFor(email)
  expect(registered.text).not.toContain(codeIn(first))
  const claim_token = registered.at('claim_token')
  const wrong = codeIn(first) === '000000' ? '000001' : '000000'
  const tries = []
  for (const _ of Array(6)) tries.push(await agent.complete({ claim_token, user_code: wrong }))
  expect(tries.map(({ json }) => (json as { error: string }).error)).toEqual([
    ...Array(4).fill('invalid_user_code'),
    'code_dead',
    'code_dead',
  ])
  expect(tries.at(-1)?.status).toBe(410)
  expect((await agent.claim({ claim_token, email })).status).toBe(200)
  const second = await sandbox.mail.waitFor(email, { after: first.id })
  const user_code = codeIn(second)
  expect((await agent.poll(claim_token)).json).toMatchObject({ error: 'authorization_pending' })
  expect((await agent.poll(claim_token)).json).toMatchObject({ error: 'slow_down' })
  expect((await agent.complete({ claim_token, user_code })).json).toEqual({ status: 'claimed' })
  const key = await agent.poll(claim_token)
  expect(key.json).toEqual({
    access_token: expect.any(String),
    token_type: 'Bearer',
    scope: 'api.read api.write',
  })
  sandbox.clock.advance(365 * 86_400_000)
  expect((await agent.read(key.at('access_token'))).status).toBe(200)
  expect((await agent.poll(claim_token)).status).toBe(400)
})

test('capgo: the page is at another path', async () => {
  await using sandbox = await startSandbox({ authMd: { version: 'capgo' } })
  const agent = agentAt(sandbox)
  const registered = await agent.register(byMail)
  const uri = registered.at('claim.verification_uri')
  expect(decodeURIComponent(uri)).toContain('/agent/claim?')
  await personAt(sandbox.authMd[0], email).typeCode(uri, registered.at('claim.user_code'))
  expect((await agent.poll(registered.at('claim_token'))).status).toBe(200)
})

test('stella: the claim grant gives no new assertion, so the old one goes on', async () => {
  await using sandbox = await startSandbox({ authMd: { version: 'stella' } })
  const agent = agentAt(sandbox)
  const registered = await agent.register({ type: 'anonymous' })
  const claim_token = registered.at('claim_token')
  const started = await agent.claim({ claim_token, login_hint: email })
  await personAt(sandbox.authMd[0], email).typeCode(
    started.at('claim_attempt.verification_uri'),
    started.at('claim_attempt.user_code'),
  )
  const paid = await agent.poll(claim_token)
  expect(paid).toMatchObject({ status: 200, json: { scope: 'api.read api.write' } })
  expect(paid.json).not.toHaveProperty('identity_assertion')
  expect((await agent.poll(claim_token)).json).toMatchObject({ error: 'invalid_grant' })
  expect((await agent.exchange(registered.at('identity_assertion'))).status).toBe(200)
})

test('axiom: the token endpoint takes JSON', async () => {
  await using sandbox = await startSandbox({ authMd: { version: 'axiom' } })
  const agent = agentAt(sandbox)
  const registered = await agent.register(byMail)
  const claim_token = registered.at('claim_token')
  await personAt(sandbox.authMd[0], email).typeCode(
    registered.at('claim.verification_uri'),
    registered.at('claim.user_code'),
  )
  const form = await agent.form('/oauth2/token', { grant_type: 'claim', claim_token })
  expect(form).toMatchObject({ status: 400, json: { error: 'invalid_request' } })
  const paid = await agent.post('/oauth2/token', { grant_type: 'claim', claim_token })
  expect(paid).toMatchObject({ status: 200, json: { token_type: 'Bearer' } })
})

test('two-endpoints: old and new name lead to one place', async () => {
  await using sandbox = await startSandbox({ authMd: { version: 'two-endpoints' } })
  const agent = agentAt(sandbox)
  const metadata = await agent.get(`${agent.issuer}/.well-known/oauth-authorization-server`)
  const register = metadata.at('agent_auth.register_uri')
  expect(metadata.at('agent_auth.identity_endpoint')).toBe(register)
  expect(register).toBe(`${agent.issuer}/agent/identity/register`)
  expect((await agent.post('/agent/identity/register', byMail)).status).toBe(200)
})

test('vidjutsu: v0.1 with times in milliseconds', async () => {
  await using sandbox = await startSandbox({ authMd: { version: 'vidjutsu' } })
  const agent = agentAt(sandbox, { root: '/agent/auth' })
  const registered = await agent.register({
    type: 'anonymous',
    requested_credential_type: 'api_key',
  })
  expect(registered.json).toMatchObject({
    registration_id: expect.stringMatching(/^rgn_/),
    claim_token_expires: expect.any(Number),
  })
  expect((await agent.read(registered.at('credential'))).status).toBe(200)
})

test('rfc7591: what looks like the protocol is the registration of OAuth clients', async () => {
  await using sandbox = await startSandbox({ authMd: { version: 'rfc7591' } })
  const agent = agentAt(sandbox)
  const metadata = await agent.get(`${agent.issuer}/.well-known/oauth-authorization-server`)
  expect(metadata.at('agent_auth.register_uri')).toBe(metadata.at('registration_endpoint'))
  expect(metadata.json).toMatchObject({
    agent_auth: { claim_uri: expect.any(String), claims_url: expect.any(String) },
  })
  const refused = await agent.post('/oauth/register', { type: 'anonymous' })
  expect(refused).toMatchObject({ status: 400, json: { error: 'invalid_redirect_uri' } })
  const made = await agent.post('/oauth/register', { redirect_uris: ['https://a.example/cb'] })
  expect(made).toMatchObject({ status: 201, json: { client_id: expect.any(String) } })
  expect((await agent.post('/agent/auth', { type: 'anonymous' })).status).toBe(404)
  expect((await agent.get(metadata.at('agent_auth.claim_uri'))).text).toContain('<form')
  expect((await agent.get(`${agent.api}/auth.md`)).text).toContain('RFC 7591')
})
