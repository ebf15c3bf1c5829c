import { expect, test } from 'vitest'
import { oauthClientAt, obtainTokens } from '../../test/oauth-client.ts'
import { type OAuthOptions, startSandbox } from '../index.ts'

async function begin(oauth: OAuthOptions = {}, scope = 'things.read things.write') {
  const sandbox = await startSandbox({ oauth })
  const [site] = sandbox.oauth
  const client = oauthClientAt(site)
  const first = await obtainTokens(site, { scope })
  const refresh = (token: string, more = {}) =>
    client.token({
      grant_type: 'refresh_token',
      client_id: 'sandbox-native',
      refresh_token: token,
      ...more,
    })
  return { sandbox, site, client, first, refresh }
}

test('a refresh token is good once, and its second use ends all', async () => {
  const { sandbox, client, first, refresh } = await begin()
  await using _ = sandbox
  const second = await refresh(first.at('refresh_token'))
  expect(second.json).toEqual({
    access_token: expect.any(String),
    refresh_token: expect.any(String),
    token_type: 'Bearer',
    expires_in: 3600,
    scope: 'things.read things.write',
  })
  expect(second.at('refresh_token')).not.toBe(first.at('refresh_token'))
  expect((await client.me(second.at('access_token'))).status).toBe(200)
  // RFC 9700, section 4.14.2.
  const again = await refresh(first.at('refresh_token'))
  expect([again.status, again.json]).toMatchObject([400, { error: 'invalid_grant' }])
  expect((await client.me(second.at('access_token'))).status).toBe(401)
  expect((await refresh(second.at('refresh_token'))).json).toMatchObject({ error: 'invalid_grant' })
  const tokens = sandbox.ledger.filter(({ kind }) => /access|refresh/.test(kind))
  expect(tokens.every(({ revokedAt }) => revokedAt !== undefined)).toBe(true)
})

test('tokens grow old by the clock of the sandbox', async () => {
  const { sandbox, client, first, refresh } = await begin({ accessTokenSeconds: 60 })
  await using _ = sandbox
  sandbox.clock.advance(59_000)
  expect((await client.me(first.at('access_token'))).status).toBe(200)
  sandbox.clock.advance(1000)
  const late = await client.me(first.at('access_token'))
  expect(late.status).toBe(401)
  expect(late.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token", /)
  const second = await refresh(first.at('refresh_token'))
  expect((await client.me(second.at('access_token'))).status).toBe(200)
  sandbox.clock.advance(14 * 86_400_000)
  expect((await refresh(second.at('refresh_token'))).json).toMatchObject({ error: 'invalid_grant' })
})

test('a refresh may ask for less, and not for more', async () => {
  const { sandbox, client, first, refresh } = await begin({ refresh: 'lasting' })
  await using _ = sandbox
  const token = first.at('refresh_token')
  const less = await refresh(token, { scope: 'things.read' })
  expect(less.json).toMatchObject({ scope: 'things.read', refresh_token: token })
  expect((await client.write(less.at('access_token'))).status).toBe(403)
  expect((await refresh(token, { scope: 'things.admin' })).json).toMatchObject({
    error: 'invalid_scope',
  })
  // RFC 6749, section 6: without a scope it is that of the beginning.
  expect((await refresh(token)).json).toMatchObject({ scope: 'things.read things.write' })
})

test('the answer may leave out what stays as it was', async () => {
  const { sandbox, client, first, refresh } = await begin({
    refresh: 'lasting',
    quirks: { bareRefresh: true },
  })
  await using _ = sandbox
  const { json, ...second } = await refresh(first.at('refresh_token'))
  expect(Object.keys(json as object).sort()).toEqual(['access_token', 'expires_in', 'token_type'])
  expect((await client.write(second.at('access_token'))).status).toBe(201)
  expect((await refresh(first.at('refresh_token'))).status).toBe(200)
})

test('a server may give no refresh tokens', async () => {
  const { sandbox, first, refresh } = await begin({ refresh: 'none' })
  await using _ = sandbox
  expect(first.json).not.toHaveProperty('refresh_token')
  expect((await refresh('made-up')).json).toMatchObject({ error: 'unsupported_grant_type' })
})

test('revoking one token of a grant ends them all', async () => {
  const { sandbox, site, client, first, refresh } = await begin({ refresh: 'lasting' })
  await using _ = sandbox
  const revoke = (token: string, client_id = 'sandbox-native') =>
    client.form('/revoke', { client_id, token })
  const other = (await client.register()).at('client_id')
  expect((await revoke(first.at('access_token'), other)).json).toMatchObject({
    error: 'invalid_request',
  })
  expect((await client.me(first.at('access_token'))).status).toBe(200)
  const second = await refresh(first.at('refresh_token'))
  expect((await revoke(first.at('refresh_token'))).status).toBe(200)
  expect((await client.me(second.at('access_token'))).status).toBe(401)
  expect((await refresh(first.at('refresh_token'))).json).toMatchObject({ error: 'invalid_grant' })
  const anew = await obtainTokens(site)
  expect((await revoke(anew.at('access_token'))).status).toBe(200)
  expect((await refresh(anew.at('refresh_token'))).json).toMatchObject({ error: 'invalid_grant' })
  // RFC 7009, section 2.2: what is not there is revoked.
  expect((await revoke('made-up')).status).toBe(200)
})

test('a token is issued though its answer is lost', async () => {
  const { sandbox, first, refresh } = await begin()
  await using _ = sandbox
  const count = sandbox.ledger.length
  sandbox.faults.add({ name: 'oauth_token', cut: 'before', times: 1 })
  await expect(refresh(first.at('refresh_token'))).rejects.toThrow()
  expect(sandbox.ledger).toHaveLength(count)
  sandbox.faults.add({ name: 'oauth_token', cut: 'after', times: 1 })
  await expect(refresh(first.at('refresh_token'))).rejects.toThrow()
  expect(sandbox.ledger).toHaveLength(count + 2)
  expect(sandbox.log.at(-1)).toMatchObject({ effect: true, fault: 'cut:after' })
  expect((await refresh(first.at('refresh_token'))).status).toBe(400)
})
