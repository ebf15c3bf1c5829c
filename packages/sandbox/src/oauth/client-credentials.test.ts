import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { oauthClientAt } from '../../test/oauth-client.ts'
import { startSandbox } from '../index.ts'

const grant = { grant_type: 'client_credentials' }

test('a client acts for itself, by Basic or in the body', async () => {
  await using sandbox = await startSandbox()
  const [site] = sandbox.oauth
  const client = oauthClientAt(site)
  const { id, secret } = site.clients.confidential
  const wish = { ...grant, scope: 'things.write', resource: site.api }
  const basic = await client.token(wish, { id, secret })
  expect(basic.json).toEqual({
    access_token: expect.stringContaining('SANDBOX'),
    token_type: 'Bearer',
    expires_in: 3600,
    scope: 'things.write',
  })
  const post = await client.token({ ...wish, client_id: id, client_secret: secret })
  expect(post.status).toBe(200)
  expect((await client.me(post.at('access_token'))).json).toEqual({
    user: null,
    client_id: id,
    scope: 'things.write',
  })
  expect((await client.write(basic.at('access_token'))).status).toBe(201)
  expect(site.things).toEqual([{ by: id, text: 'a' }])
  const wrong = await client.token(wish, { id, secret: 'made-up' })
  expect([wrong.status, wrong.json]).toMatchObject([401, { error: 'invalid_client' }])
  // RFC 6749, section 5.2.
  expect(wrong.headers.get('www-authenticate')).toMatch(/^Basic /)
  const native = await client.token({ ...grant, client_id: 'sandbox-native' })
  expect(native.json).toMatchObject({ error: 'unauthorized_client' })
  const revoked = await client.form('/revoke', { token: basic.at('access_token') }, { id, secret })
  expect(revoked.status).toBe(200)
  expect((await client.me(basic.at('access_token'))).status).toBe(401)
})

test('a client shows that it has a key', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const client_id = 'sandbox-keyed'
  await using sandbox = await startSandbox({
    oauth: {
      clients: [
        {
          client_id,
          token_endpoint_auth_method: 'private_key_jwt',
          token_endpoint_auth_signing_alg: 'ES256',
          jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] },
          grant_types: ['client_credentials'],
          redirect_uris: [],
          response_types: [],
        },
      ],
    },
  })
  const [site] = sandbox.oauth
  const client = oauthClientAt(site)
  const assertion = (audience: string) =>
    new SignJWT({ jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setIssuer(client_id)
      .setSubject(client_id)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(privateKey)
  const ask = (client_assertion: string) =>
    client.token({
      ...grant,
      client_assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    })
  const good = await assertion(site.issuer)
  const tokens = await ask(good)
  expect((await client.me(tokens.at('access_token'))).json).toMatchObject({ client_id })
  // RFC 7523, section 3: no assertion is good twice, or elsewhere.
  expect((await ask(good)).json).toMatchObject({ error: 'invalid_client' })
  expect((await ask(await assertion('https://elsewhere.example'))).json).toMatchObject({
    error: 'invalid_client',
  })
})
