import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { agentAt, email, idJagType } from '../../test/agent.ts'
import { fetch, read, send } from '../../test/client.ts'
import { type Sandbox, startSandbox } from '../index.ts'

function exchange(
  { identityProvider: { issuer, client } }: Sandbox,
  fields: Record<string, string>,
  basic = `${client.id}:${client.secret}`,
) {
  return fetch(`${issuer}/token`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${Buffer.from(basic).toString('base64')}`,
    },
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      requested_token_type: idJagType,
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      ...fields,
    }).toString(),
  }).then(read)
}

test('an ID token is exchanged for an ID-JAG that a service takes', async () => {
  await using sandbox = await startSandbox()
  const { identityProvider: idp } = sandbox
  const agent = agentAt(sandbox)
  const metadata = await send('GET', `${idp.issuer}/.well-known/oauth-authorization-server`)
  expect(metadata.json).toMatchObject({
    issuer: idp.issuer,
    token_endpoint: `${idp.issuer}/token`,
    identity_chaining_requested_token_types_supported: [idJagType],
  })
  const subject_token = await idp.idToken({ email })
  const got = await exchange(sandbox, {
    audience: agent.issuer,
    resource: agent.api,
    scope: 'api.read',
    subject_token,
  })
  expect(got.json).toEqual({
    issued_token_type: idJagType,
    access_token: expect.any(String),
    token_type: 'N_A',
    expires_in: 300,
    scope: 'api.read',
  })
  const assertion = got.at('access_token')
  const jwks = (await send('GET', `${idp.issuer}/.well-known/jwks.json`)).json as JSONWebKeySet
  const { payload, protectedHeader } = await jwtVerify(assertion, createLocalJWKSet(jwks))
  expect(protectedHeader).toMatchObject({ alg: 'ES256', typ: 'oauth-id-jag+jwt' })
  expect(payload).toMatchObject({
    iss: idp.issuer,
    aud: agent.issuer,
    client_id: idp.issuer,
    email,
    email_verified: true,
    resource: agent.api,
    auth_time: expect.any(Number),
    jti: expect.any(String),
  })
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(300)
  const registered = await agent.register({
    type: 'identity_assertion',
    assertion_type: idJagType,
    assertion,
  })
  expect(registered.status).toBe(200)
  const kinds = sandbox.ledger.map(({ kind, request }) => [kind, request])
  expect(kinds).toEqual([
    ['id_token', 0],
    ['id_jag', 2],
    ['identity_assertion', 4],
  ])
})

test('the next ID-JAGs can be made wrong', async () => {
  await using sandbox = await startSandbox()
  const { identityProvider: idp } = sandbox
  idp.spoil('audience', 'expired')
  const subject_token = await idp.idToken()
  const next = async () =>
    decodeJwt(
      (await exchange(sandbox, { audience: 'https://as.example', subject_token })).at(
        'access_token',
      ),
    )
  expect((await next()).aud).toBe('https://elsewhere.example')
  expect((await next()).exp).toBeLessThan(sandbox.clock.now() / 1000)
  expect(await next()).toMatchObject({ aud: 'https://as.example', exp: expect.any(Number) })
})

test('what is wrong is refused', async () => {
  await using sandbox = await startSandbox()
  const { identityProvider: idp } = sandbox
  const audience = 'https://as.example'
  const subject_token = await idp.idToken()
  const good = { audience, subject_token }
  const foreign = await idp.idJag({ audience: 'https://as.example' })
  for (const [error, fields, basic] of [
    ['invalid_client', good, 'sandbox-agent:guess'],
    ['invalid_client', good, 'nobody:guess'],
    ['unsupported_grant_type', { ...good, grant_type: 'password' }],
    ['invalid_request', { subject_token }],
    ['invalid_request', { ...good, requested_token_type: 'urn:other' }],
    ['invalid_request', { ...good, subject_token_type: 'urn:other' }],
    ['invalid_grant', { ...good, subject_token: foreign }],
    ['invalid_grant', { ...good, subject_token: 'a.b.c' }],
    ['invalid_grant', { ...good, subject_token: await idp.idToken({ defect: 'signature' }) }],
  ] as const) {
    const got = await exchange(sandbox, fields, basic)
    expect(got.json, JSON.stringify(fields)).toMatchObject({ error })
    expect(got.status).toBe(error === 'invalid_client' ? 401 : 400)
  }
  sandbox.clock.advance(300_000)
  expect((await exchange(sandbox, good)).json).toMatchObject({ error: 'invalid_grant' })
})
