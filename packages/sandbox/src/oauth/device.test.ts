import { expect, test } from 'vitest'
import { deviceGrant, email, oauthClientAt } from '../../test/oauth-client.ts'
import { personAtOAuth, type Sandbox, startSandbox } from '../index.ts'

const native = { client_id: 'sandbox-native' }

async function begin(sandbox: Sandbox, fields: Record<string, string> = {}) {
  const client = oauthClientAt(sandbox.oauth[0])
  const got = await client.form('/device_authorization', { ...native, ...fields })
  const fieldsOf = { ...native, grant_type: deviceGrant, device_code: got.at('device_code') }
  return {
    client,
    got,
    poll: () => client.token(fieldsOf),
    link: [got.at('verification_uri'), got.at('user_code')] as const,
  }
}

test('a code is shown, confirmed and polled for', async () => {
  await using sandbox = await startSandbox()
  const [{ issuer }] = sandbox.oauth
  const { client, got, poll, link } = await begin(sandbox, { scope: 'things.read' })
  expect(got.json).toEqual({
    device_code: expect.stringContaining('SANDBOX'),
    user_code: expect.stringMatching(/^[A-Z]{4}-[A-Z]{4}$/),
    verification_uri: `${issuer}/device`,
    verification_uri_complete: `${issuer}/device?user_code=${got.at('user_code')}`,
    expires_in: 600,
    interval: 5,
  })
  expect((await poll()).json).toMatchObject({ error: 'authorization_pending' })
  expect((await poll()).json).toMatchObject({ error: 'slow_down' })
  sandbox.clock.advance(10_000)
  expect((await poll()).json).toMatchObject({ error: 'authorization_pending' })
  expect((await personAtOAuth(email).connect(...link)).html).toContain('Connected')
  const tokens = await poll()
  expect(tokens.json).toEqual({
    access_token: expect.stringContaining('SANDBOX'),
    refresh_token: expect.stringContaining('SANDBOX'),
    token_type: 'Bearer',
    expires_in: 3600,
    scope: 'things.read',
  })
  expect(tokens.headers.get('cache-control')).toBe('no-store')
  expect((await client.me(tokens.at('access_token'))).json).toEqual({
    user: email,
    client_id: 'sandbox-native',
    scope: 'things.read',
  })
  expect((await poll()).json).toMatchObject({ error: 'invalid_grant' })
  expect(sandbox.ledger.map(({ kind, account }) => [kind, account])).toEqual([
    ['device_code', 'sandbox-native'],
    ['user_code', 'sandbox-native'],
    ['access_token', email],
    ['refresh_token', email],
  ])
})

test('the complete address needs no code to be typed', async () => {
  await using sandbox = await startSandbox()
  const { got, poll } = await begin(sandbox)
  await personAtOAuth(email).connect(got.at('verification_uri_complete'), '')
  expect((await poll()).status).toBe(200)
})

test('a person may refuse, say that the code is not theirs, or come too late', async () => {
  await using sandbox = await startSandbox()
  const ada = personAtOAuth(email)
  const refused = await begin(sandbox)
  await ada.connect(...refused.link, { refuse: true })
  expect((await refused.poll()).json).toMatchObject({ error: 'access_denied' })
  const disowned = await begin(sandbox)
  await ada.disown(...disowned.link)
  expect((await disowned.poll()).json).toMatchObject({ error: 'access_denied' })
  const late = await begin(sandbox)
  sandbox.clock.advance(600_000)
  expect((await late.poll()).json).toMatchObject({ error: 'expired_token' })
  expect((await ada.connect(...late.link)).html).toContain('That code is not good.')
})

test('a person may give less than was asked for', async () => {
  await using sandbox = await startSandbox()
  const { client, poll, link } = await begin(sandbox, { scope: 'things.read things.write' })
  await personAtOAuth(email).connect(...link, { scopes: ['things.read'] })
  const tokens = await poll()
  expect(tokens.json).toMatchObject({ scope: 'things.read' })
  expect((await client.write(tokens.at('access_token'))).status).toBe(403)
  // Asked again, the person may change their mind.
  const again = await begin(sandbox, { scope: 'things.read things.write' })
  await personAtOAuth(email).connect(...again.link)
  const wider = await again.poll()
  expect((await client.write(wider.at('access_token'))).status).toBe(201)
  expect(sandbox.oauth[0].things).toEqual([{ by: email, text: 'a' }])
})
