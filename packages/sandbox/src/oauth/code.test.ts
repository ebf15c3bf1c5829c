import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { send } from '../../test/client.ts'
import { authorizationUrl, email, oauthClientAt } from '../../test/oauth-client.ts'
import { personAtOAuth, startSandbox } from '../index.ts'

const codeGrant = { grant_type: 'authorization_code', redirect_uri: 'http://127.0.0.1/callback' }

/** An application that waits for its callback (RFC 8252, section 7.3). */
async function callback(): Promise<AsyncDisposable & { uri: string; got: string[] }> {
  const got: string[] = []
  const server = createServer(({ url = '' }, response) => {
    got.push(url)
    response.end('Thank you')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`,
    got,
    [Symbol.asyncDispose]: async () => void server.close(),
  }
}

test('from nothing but the URL of the API to a call and its end', async () => {
  await using sandbox = await startSandbox()
  await using local = await callback()
  const [site] = sandbox.oauth
  const client = oauthClientAt(site)

  // RFC 9728: the refusal names the metadata, these name the server.
  const refused = await client.me()
  expect(refused.status).toBe(401)
  const url = `${site.api}/.well-known/oauth-protected-resource`
  expect(refused.headers.get('www-authenticate')).toBe(
    `Bearer scope="things.read", resource_metadata="${url}"`,
  )
  expect((await send('GET', url)).json).toEqual({
    resource: site.api,
    authorization_servers: [site.issuer],
    scopes_supported: ['things.read', 'things.write', 'things.admin'],
    bearer_methods_supported: ['header'],
    resource_name: 'Sandbox oauth',
  })
  expect(await client.metadata()).toMatchObject({
    issuer: site.issuer,
    authorization_endpoint: `${site.issuer}/authorize`,
    token_endpoint: `${site.issuer}/token`,
    registration_endpoint: `${site.issuer}/register`,
    device_authorization_endpoint: `${site.issuer}/device_authorization`,
    revocation_endpoint: `${site.issuer}/revoke`,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  })

  // RFC 7591, 7636, 8252, 9207.
  const client_id = (await client.register()).at('client_id')
  const redirect = { client_id, redirect_uri: local.uri }
  const { url: link, verifier } = authorizationUrl(site, { ...redirect, resource: site.api })
  const page = await personAtOAuth(email).authorize(link)
  expect(page.html).toBe('Thank you')
  const answer = new URL(page.url).searchParams
  expect(local.got).toHaveLength(1)
  expect(answer.get('state')).toBe('made-up-state')
  expect(answer.get('iss')).toBe(site.issuer)
  const code = answer.get('code') ?? ''
  const fields = { ...codeGrant, ...redirect, code }
  const tokens = await client.token({ ...fields, code_verifier: verifier })
  expect(tokens.json).toMatchObject({ token_type: 'Bearer', scope: 'things.read' })
  const token = tokens.at('access_token')
  expect((await client.me(token)).json).toMatchObject({ user: email, client_id })

  // RFC 7009.
  expect((await client.form('/revoke', { client_id, token })).status).toBe(200)
  expect((await client.me(token)).status).toBe(401)
  const entry = sandbox.ledger.find(({ value }) => value === token)
  expect(entry?.usedAt).toBeDefined()
  expect(entry?.revokedAt).toBeDefined()
})

test('a code is good once, for its client, its verifier and a minute', async () => {
  await using sandbox = await startSandbox()
  const [site] = sandbox.oauth
  const client = oauthClientAt(site)
  const ada = personAtOAuth(email)
  const client_id = 'sandbox-native'
  await using local = await callback()
  const redirect = { client_id, redirect_uri: local.uri }
  const begin = async () => {
    const { url, verifier } = authorizationUrl(site, redirect)
    const { searchParams } = new URL((await ada.authorize(url)).url)
    const code = searchParams.get('code') ?? ''
    return { ...codeGrant, ...redirect, code, code_verifier: verifier }
  }
  const wrong = await begin()
  for (const change of [{ code_verifier: 'x'.repeat(43) }, { redirect_uri: 'http://127.0.0.1/' }]) {
    expect((await client.token({ ...wrong, ...change })).json).toMatchObject({
      error: 'invalid_grant',
    })
  }
  const good = await begin()
  const tokens = await client.token(good)
  expect(tokens.status).toBe(200)
  expect((await client.token(good)).json).toMatchObject({ error: 'invalid_grant' })
  // RFC 6749, section 4.1.2: what a code was used twice for is taken back.
  expect((await client.me(tokens.at('access_token'))).status).toBe(401)
  const late = await begin()
  sandbox.clock.advance(60_000)
  expect((await client.token(late)).json).toMatchObject({ error: 'invalid_grant' })
})

test('what is wrong goes to the callback, or to nobody', async () => {
  await using sandbox = await startSandbox()
  await using local = await callback()
  const [site] = sandbox.oauth
  const ada = personAtOAuth(email)
  const redirect = { client_id: 'sandbox-native', redirect_uri: local.uri }
  const refused = await ada.authorize(authorizationUrl(site, redirect).url, { refuse: true })
  expect(new URL(refused.url).searchParams.get('error')).toBe('access_denied')
  expect(new URL(refused.url).searchParams.get('iss')).toBe(site.issuer)
  const plain = authorizationUrl(site, { ...redirect, code_challenge: '' })
  expect(new URL((await ada.authorize(plain.url)).url).searchParams.get('error')).toBe(
    'invalid_request',
  )
  const count = local.got.length
  for (const change of [{ client_id: 'nobody' }, { redirect_uri: 'https://elsewhere.example/' }]) {
    const page = await ada.authorize(authorizationUrl(site, { ...redirect, ...change }).url)
    expect(page.status).toBe(400)
  }
  expect(local.got).toHaveLength(count)
})
