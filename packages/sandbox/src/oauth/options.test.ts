import { expect, test } from 'vitest'
import { send } from '../../test/client.ts'
import {
  authorizationUrl,
  deviceGrant,
  email,
  oauthClientAt,
  obtainTokens,
} from '../../test/oauth-client.ts'
import { type OAuthOptions, personAtOAuth, startSandbox } from '../index.ts'

test.each<[OAuthOptions['grants'], string[], string[]]>([
  [['device_code'], ['device_authorization_endpoint'], ['authorization_endpoint']],
  [['authorization_code'], ['authorization_endpoint'], ['device_authorization_endpoint']],
  [
    ['client_credentials'],
    ['token_endpoint'],
    ['authorization_endpoint', 'device_authorization_endpoint'],
  ],
])('only %j', async (grants, there, absent) => {
  await using sandbox = await startSandbox({ oauth: { grants } })
  const [site] = sandbox.oauth
  const client = oauthClientAt(site)
  const metadata = await client.metadata()
  for (const name of there) expect(metadata).toHaveProperty(name)
  for (const name of absent) expect(metadata).not.toHaveProperty(name)
  const all = ['authorization_code', deviceGrant, 'client_credentials']
  const named = metadata.grant_types_supported as string[]
  const grant = grants?.[0] === 'device_code' ? deviceGrant : grants?.[0]
  expect(named.filter((one) => all.includes(one))).toEqual([grant])
  if (grant === deviceGrant) {
    expect((await obtainTokens(site)).status).toBe(200)
    return
  }
  const device = await client.form('/device_authorization', { client_id: 'sandbox-native' })
  expect(device.status).toBe(404)
})

test('a resource is named, and may be required, refused or ignored', async () => {
  const ways = ['optional', 'required', 'refused', 'ignored'] as const
  await using sandbox = await startSandbox({
    oauth: [{}, ...ways.slice(1).map((resource) => ({ name: resource, resource }))],
  })
  const answers: Record<string, unknown[]> = {}
  for (const [at, way] of ways.entries()) {
    const site = sandbox.oauth[at] ?? sandbox.oauth[0]
    const client = oauthClientAt(site)
    answers[way] = []
    for (const resource of [undefined, site.api, 'https://elsewhere.example']) {
      const named: Record<string, string> = resource === undefined ? {} : { resource }
      const fields = { client_id: 'sandbox-native', ...named }
      const got = await client.form('/device_authorization', fields)
      answers[way].push((got.json as { error?: string }).error ?? got.status)
    }
  }
  expect(answers).toEqual({
    optional: [200, 200, 'invalid_target'],
    required: ['invalid_target', 200, 'invalid_target'],
    refused: [200, 'invalid_target', 'invalid_target'],
    ignored: [200, 200, 200],
  })
  // What is ignored changes nothing: the token is for the API.
  const [, , , ignoring = sandbox.oauth[0]] = sandbox.oauth
  const tokens = await obtainTokens(ignoring, { resource: 'https://elsewhere.example' })
  expect((await oauthClientAt(ignoring).me(tokens.at('access_token'))).status).toBe(200)
})

test('a token for one resource is not good at the other, nor at another server', async () => {
  await using sandbox = await startSandbox({ oauth: [{}, { name: 'other' }] })
  const [site, other = site] = sandbox.oauth
  const tokens = await obtainTokens(site, { resource: `${site.api}/mcp` })
  expect((await oauthClientAt(site).me(tokens.at('access_token'))).status).toBe(401)
  const own = await obtainTokens(site)
  expect((await oauthClientAt(other).me(own.at('access_token'))).status).toBe(401)
  expect((await oauthClientAt(site).me(own.at('access_token'))).status).toBe(200)
})

test('no token gets more than the server gives, and a refusal says what is missing', async () => {
  await using sandbox = await startSandbox({
    oauth: [{ narrow: ['things.read'] }, { name: 'open' }],
  })
  const [site, open = site] = sandbox.oauth
  const client = oauthClientAt(site)
  const tokens = await obtainTokens(site, { scope: 'things.read things.write' })
  expect(tokens.json).toMatchObject({ scope: 'things.read' })
  const refused = await client.write(tokens.at('access_token'))
  expect(refused.status).toBe(403)
  expect(refused.headers.get('www-authenticate')).toBe(
    `Bearer error="insufficient_scope", scope="things.write", resource_metadata="${site.api}/.well-known/oauth-protected-resource"`,
  )
  // Elsewhere the same is a step-up.
  const small = await obtainTokens(open)
  expect((await oauthClientAt(open).write(small.at('access_token'))).status).toBe(403)
  const wide = await obtainTokens(open, { scope: 'things.read things.write' })
  expect((await oauthClientAt(open).write(wide.at('access_token'))).status).toBe(201)
  expect((await oauthClientAt(open).me(wide.at('access_token'))).json).toMatchObject({
    user: email,
  })
})

test('servers differ in what they answer', async () => {
  await using sandbox = await startSandbox({
    oauth: [
      { quirks: { expiresIn: 'string', lowerCaseType: true, bareDevice: true } },
      {
        name: 'bare',
        quirks: {
          expiresIn: 'absent',
          noScope: true,
          noIssuer: true,
          openidOnly: true,
          bareChallenge: true,
        },
      },
    ],
  })
  const [loose, bare = loose] = sandbox.oauth
  expect((await obtainTokens(loose)).json).toMatchObject({
    expires_in: '3600',
    token_type: 'bearer',
  })
  const device = await oauthClientAt(loose).form('/device_authorization', {
    client_id: 'sandbox-native',
  })
  expect(device.json).not.toHaveProperty('interval')
  expect(device.json).not.toHaveProperty('verification_uri_complete')
  const tokens = await obtainTokens(bare)
  expect(tokens.json).not.toHaveProperty('expires_in')
  expect(tokens.json).not.toHaveProperty('scope')
  const at = (path: string) => send('GET', `${bare.issuer}/.well-known/${path}`)
  expect((await at('oauth-authorization-server')).status).toBe(404)
  const metadata = await at('openid-configuration')
  expect(metadata.json).toMatchObject({ issuer: bare.issuer })
  expect(metadata.json).not.toHaveProperty('authorization_response_iss_parameter_supported')
  expect((await oauthClientAt(bare).me()).headers.get('www-authenticate')).toBe('Bearer')
  const redirect = { client_id: 'sandbox-native', redirect_uri: 'http://127.0.0.1:1/callback' }
  const { url } = authorizationUrl(bare, redirect)
  // Nobody listens there; where it would have led is what counts.
  await expect(personAtOAuth(email).authorize(url)).rejects.toThrow('ECONNREFUSED')
  const led = sandbox.log.findLast(({ name }) => name === 'oauth_authorize')
  expect(led?.status).toBe(303)
})

test('services are told apart by name', async () => {
  await expect(startSandbox({ oauth: [{}, {}] })).rejects.toThrow('two OAuth services are called')
  await expect(startSandbox({ oauth: { name: 'a.b' } })).rejects.toThrow('no label of a host')
})

test('a server may have no revocation', async () => {
  await using sandbox = await startSandbox({ oauth: { revocation: false } })
  const client = oauthClientAt(sandbox.oauth[0])
  expect(await client.metadata()).not.toHaveProperty('revocation_endpoint')
  expect((await client.form('/revoke', { token: 'a', client_id: 'sandbox-native' })).status).toBe(
    404,
  )
})
