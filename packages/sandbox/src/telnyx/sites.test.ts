import { expect, test } from 'vitest'
import { send } from '../../test/client.ts'
import { startSandbox } from '../index.ts'

test('auth.md has the structure and the oddities of the real one', async () => {
  await using sandbox = await startSandbox()
  const { api, developers, portal, site } = sandbox.urls
  const { status, text, headers } = await send('GET', `${developers}/auth.md`)
  expect(status).toBe(200)
  expect(headers.get('content-type')).toBe('text/markdown; charset=utf-8')
  expect(text.match(/^#+ .*$/gm)).toEqual([
    '# Agent authentication (auth.md)',
    '## Discover',
    '## Pick a method',
    '## Register',
    '## Claim the credential',
    '## Use the credential',
    '## Errors',
    '## Revocation',
  ])
  expect(text).toMatch(new RegExp(`^> ## Documentation Index\n> .*${developers}/llms.txt`))
  const link = (url: string) => `[\`${url}\`](${url})`
  const keys = `${portal}/#/app/api-keys`
  for (const part of [
    `* **register\\_uri (programmatic):** ${link(`${site}/agent-signup.md`)} — `,
    `* **claim\\_uri (interactive):** ${link(keys)} — `,
    `* **revocation\\_uri (interactive):** ${link(keys)} — `,
    link(`${api}/.well-known/oauth-protected-resource`),
    'no `agent_auth` block',
    'without a `WWW-Authenticate: Bearer resource_metadata="…"` hint',
    'Neither `identity_assertion` flows nor `id-jag` token exchange',
    `\`\`\`bash theme={null}\ncurl ${api}/v2/available_phone_numbers \\\n  -H "Authorization: Bearer $TELNYX_API_KEY"\n\`\`\`\n`,
    `\`${api}/v2/mcp\``,
    '`{"errors": [{"code": "…", "title": "…", "detail": "…"}]}`',
  ]) {
    expect(text).toContain(part)
  }
  expect(text).not.toContain('telnyx.com')
})

test('every address in the documents of the sandbox leads somewhere', async () => {
  await using sandbox = await startSandbox()
  const { api, developers, site } = sandbox.urls
  const pages = [`${developers}/auth.md`, `${site}/agent-signup.md`, `${developers}/llms.txt`]
  const found = new Set<string>()
  for (const page of pages) {
    const { text } = await send('GET', page)
    for (const [url] of text.matchAll(/http:\/\/[\w.]*localhost:\d+[^\s`"')>*…]*/g)) found.add(url)
  }
  found.delete(`${api}/v2`)
  expect(found.size).toBeGreaterThan(12)
  for (const url of found) {
    const asked = await send('GET', url)
    const posted = asked.status === 404 ? await send('POST', url) : asked
    expect([url, posted.status]).not.toEqual([url, 404])
  }
})

test('agent-signup.md names each request with its method and absolute URL', async () => {
  await using sandbox = await startSandbox()
  const { api, site } = sandbox.urls
  const { text, headers } = await send('GET', `${site}/agent-signup.md`)
  expect(headers.get('content-type')).toBe('text/markdown; charset=utf-8')
  const requests = [...text.matchAll(/```http\n(\S+ \S+)/g)].map(([, request]) => request)
  expect(requests).toEqual([
    `POST ${api}/v2/bot_challenge`,
    `POST ${api}/v2/bot_signup`,
    `POST ${api}/v2/bot_signup/resend_magic_link`,
    `GET ${api}/v2/bot_sessions?…`,
    `POST ${api}/v2/api_keys`,
  ])
  expect(text).toContain('terms_of_service_eu')
  expect(text).toContain('10027')
})

test('metadata: a resource, its server, and no agent_auth', async () => {
  await using sandbox = await startSandbox()
  const { api, site, developers } = sandbox.urls
  const resource = await send('GET', `${api}/.well-known/oauth-protected-resource`)
  expect(resource.json).toEqual({ resource: api, authorization_servers: [api] })
  const server = await send('GET', `${api}/.well-known/oauth-authorization-server`)
  expect(server.at('issuer')).toBe(api)
  expect(server.json).not.toHaveProperty('agent_auth')
  const access = await send('GET', `${site}/.well-known/agent-access.json`)
  expect(access.json).toMatchObject({ signup: `${site}/agent-signup.md` })
  for (const url of [
    `${api}/auth.md`,
    `${api}/.well-known/oauth-protected-resource/v2`,
    `${developers}/.well-known/oauth-protected-resource`,
  ]) {
    expect((await send('GET', url)).status).toBe(404)
  }
})

test('sites answer with HTML, also where there is nothing', async () => {
  await using sandbox = await startSandbox()
  const { site, developers, portal } = sandbox.urls
  const get = async (url: string) => {
    const { status, headers, text } = await send('GET', url)
    expect(headers.get('content-type')).toMatch(/^text\/html/)
    return [status, text.match(/<title>(.*)<\/title>/)?.[1]]
  }
  expect(await get(`${site}/`)).toEqual([200, 'Telnyx (sandbox)'])
  expect(await get(`${site}/terms-and-conditions-of-service`)).toEqual([200, expect.any(String)])
  expect(await get(`${site}/terms-and-conditions-of-service-eu`)).toEqual([200, expect.any(String)])
  expect(await get(`${site}/privacy-policy`)).toEqual([200, 'Privacy policy'])
  expect(await get(`${developers}/`)).toEqual([200, 'Developers'])
  expect(await get(`${portal}/`)).toEqual([200, 'Sign in'])
  for (const url of [`${site}/auth.md`, `${developers}/docs`, `${portal}/auth.md`]) {
    expect(await get(url)).toEqual([404, 'Page not found'])
  }
})

test('HEAD is answered like GET, without a body', async () => {
  await using sandbox = await startSandbox()
  const { status, text } = await send('HEAD', `${sandbox.urls.developers}/auth.md`)
  expect([status, text]).toEqual([200, ''])
  expect(sandbox.log[0]).toMatchObject({ name: 'auth_md', method: 'HEAD' })
})
