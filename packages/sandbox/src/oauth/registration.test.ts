import { expect, test } from 'vitest'
import { send } from '../../test/client.ts'
import { deviceGrant, oauthClientAt, obtainTokens } from '../../test/oauth-client.ts'
import { startSandbox } from '../index.ts'

test('a client registers itself, reads, changes and deletes its registration', async () => {
  await using sandbox = await startSandbox()
  const [site] = sandbox.oauth
  const client = oauthClientAt(site)
  const made = await client.register({ scope: 'things.read' })
  expect(made.status).toBe(201)
  expect(made.json).toMatchObject({
    client_id: expect.stringMatching(/^client_SANDBOX/),
    client_id_issued_at: expect.any(Number),
    client_name: 'Test',
    redirect_uris: ['http://127.0.0.1/callback'],
    scope: 'things.read',
    token_endpoint_auth_method: 'none',
    registration_client_uri: `${site.issuer}/register/${made.at('client_id')}`,
  })
  expect(made.json).not.toHaveProperty('client_secret')
  const url = made.at('registration_client_uri')
  const token = made.at('registration_access_token')
  expect((await send('GET', url, { token })).json).toEqual(made.json)
  expect((await send('GET', url)).status).toBe(401)
  expect((await send('GET', url, { token: 'made-up' })).status).toBe(401)
  const client_id = made.at('client_id')
  const { client_name: _old, ...kept } = made.json as Record<string, unknown>
  const forbidden = ['registration_access_token', 'registration_client_uri', 'client_id_issued_at']
  for (const name of forbidden) delete kept[name]
  const changed = await send('PUT', url, { token, json: { ...kept, client_name: 'Renamed' } })
  expect(changed.json).toMatchObject({ client_id, client_name: 'Renamed' })

  const tokens = await obtainTokens(site, { client_id })
  expect((await client.me(tokens.at('access_token'))).status).toBe(200)
  expect((await send('DELETE', url, { token })).status).toBe(204)
  // RFC 7592, section 2.3: what it was given goes with it.
  expect((await client.me(tokens.at('access_token'))).status).toBe(401)
  expect((await send('GET', url, { token })).status).toBe(401)
  const late = await client.form('/device_authorization', { client_id })
  expect([late.status, late.json]).toMatchObject([401, { error: 'invalid_client' }])
  const secrets = sandbox.ledger.filter(
    ({ kind }) => kind !== 'device_code' && kind !== 'user_code',
  )
  expect(secrets.map(({ kind }) => kind)).toEqual([
    'registration_access_token',
    'access_token',
    'refresh_token',
  ])
  expect(secrets.every(({ revokedAt }) => revokedAt !== undefined)).toBe(true)
})

test('a client with a secret, and one that asks for what cannot be', async () => {
  await using sandbox = await startSandbox()
  const client = oauthClientAt(sandbox.oauth[0])
  const made = await client.register({
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  })
  expect(made.json).toMatchObject({
    client_secret: expect.stringMatching(/^SANDBOX/),
    client_secret_expires_at: 0,
  })
  expect(sandbox.ledger.map(({ kind }) => kind)).toEqual([
    'client_secret',
    'registration_access_token',
  ])
  const basic = { id: made.at('client_id'), secret: made.at('client_secret') }
  expect((await client.token({ grant_type: 'client_credentials' }, basic)).status).toBe(200)
  for (const [error, wish] of [
    ['invalid_redirect_uri', { redirect_uris: ['http://elsewhere.example/'] }],
    ['invalid_client_metadata', { scope: 'everything' }],
    ['invalid_client_metadata', { grant_types: ['password'] }],
  ] as const) {
    expect([(await client.register(wish)).json, wish]).toMatchObject([{ error }, wish])
  }
})

test('registration may come without management, or not at all', async () => {
  await using sandbox = await startSandbox({
    oauth: [{ registration: ['unmanaged'] }, { name: 'closed', registration: [] }],
  })
  const [open, closed] = sandbox.oauth.map(oauthClientAt)
  const made = await open?.register()
  expect(made?.status).toBe(201)
  expect(made?.json).not.toHaveProperty('registration_access_token')
  expect(made?.json).not.toHaveProperty('registration_client_uri')
  expect((await closed?.register())?.status).toBe(404)
  const metadata = await closed?.metadata()
  expect(metadata).not.toHaveProperty('registration_endpoint')
  expect(metadata).not.toHaveProperty('client_id_metadata_document_supported')
  // The clients that are known in advance remain.
  expect((await obtainTokens(sandbox.oauth[1] ?? sandbox.oauth[0])).status).toBe(200)
})

test('a client is known by the document at its own address', async () => {
  const client_id = 'https://agent.example/client.json'
  const document = {
    client_id,
    client_name: 'Agent',
    application_type: 'native',
    redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token', deviceGrant],
    token_endpoint_auth_method: 'none',
  }
  const wrong = 'https://agent.example/wrong.json'
  await using sandbox = await startSandbox({
    oauth: { documents: { [client_id]: document, [wrong]: document } },
  })
  const [site] = sandbox.oauth
  const client = oauthClientAt(site)
  expect(await client.metadata()).toMatchObject({ client_id_metadata_document_supported: true })
  const tokens = await obtainTokens(site, { client_id })
  expect((await client.me(tokens.at('access_token'))).json).toMatchObject({ client_id })
  for (const [id, error] of [
    [wrong, 'invalid_client_metadata'],
    ['https://agent.example/none.json', 'invalid_client'],
    ['http://agent.example/client.json', 'invalid_client'],
  ] as const) {
    const got = await client.form('/device_authorization', { client_id: id })
    expect([id, got.json]).toMatchObject([id, { error }])
  }
})
