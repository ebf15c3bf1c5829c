import { expect, test } from 'vitest'
import { fetch, obtainKey, send, signUp } from '../../test/client.ts'
import { type Sandbox, startSandbox } from '../index.ts'

const email = 'ada@agents.example'

test('a program lists, makes and deletes keys, and a deleted key is refused at once', async () => {
  await using sandbox = await startSandbox()
  const { api, portal } = sandbox.urls
  const key = await obtainKey(sandbox, email)
  const signIn = await send('POST', `${portal}/api/sign-in`, { json: { email } })
  const token = signIn.at('data.token')
  const list = await send('GET', `${portal}/api/keys`, { token })
  const entry = sandbox.ledger.find(({ value }) => value === key)
  expect(list.json).toMatchObject({ data: [{ id: entry?.id, name: 'unnamed', scope: 'full' }] })
  expect(list.text).not.toContain(key)

  const made = await send('POST', `${portal}/api/keys`, { token, json: { name: 'second' } })
  expect(made.status).toBe(201)
  const balance = (of: string) => send('GET', `${api}/v2/balance`, { token: of })
  expect((await balance(made.at('data.api_key'))).status).toBe(200)

  expect((await balance(key)).status).toBe(200)
  const url = `${portal}/api/keys/${entry?.id}`
  expect((await send('DELETE', url, { token })).status).toBe(204)
  expect(entry?.revokedAt).toBeDefined()
  expect(sandbox.log.at(-1)).toMatchObject({ name: 'portal_keys', effect: true })
  const refused = await balance(key)
  expect(refused).toMatchObject({ status: 401, json: { errors: [{ code: '10009' }] } })
  expect(sandbox.log.at(-1)?.authorization).toBe(entry?.id)
  expect((await send('DELETE', url, { token })).status).toBe(404)
  expect((await send('GET', `${portal}/api/keys`, { token })).json).toMatchObject({
    data: [{ name: 'second' }],
  })
})

test('the session of the mail link signs in as well, an API key does not', async () => {
  await using sandbox = await startSandbox()
  const url = `${sandbox.urls.portal}/api/keys`
  const session = await send('GET', await signUp(sandbox, email))
  const list = await send('GET', url, { token: session.at('data.api_v2_token') })
  expect(list.json).toEqual({ data: [] })
  expect((await send('GET', url, { token: await obtainKey(sandbox) })).status).toBe(401)
  expect((await send('GET', url)).status).toBe(401)
})

test('nobody sees or deletes the keys of others', async () => {
  await using sandbox = await startSandbox()
  const { portal } = sandbox.urls
  await obtainKey(sandbox, email)
  const id = sandbox.ledger.find(({ kind }) => kind === 'api_key')?.id
  const json = { email: 'bob@agents.example' }
  const token = (await send('POST', `${portal}/api/sign-in`, { json })).at('data.token')
  expect((await send('GET', `${portal}/api/keys`, { token })).json).toEqual({ data: [] })
  expect((await send('DELETE', `${portal}/api/keys/${id}`, { token })).status).toBe(404)
})

test('what makes no sense is refused', async () => {
  await using sandbox = await startSandbox()
  const { portal } = sandbox.urls
  const signIn = (json: unknown) => send('POST', `${portal}/api/sign-in`, { json })
  expect((await signIn({ email: 'ada' })).status).toBe(400)
  expect((await signIn({})).status).toBe(400)
  const token = (await signIn({ email })).at('data.token')
  for (const json of [{ scope: 'all' }, { name: 1 }, []]) {
    expect((await send('POST', `${portal}/api/keys`, { token, json })).status).toBe(400)
  }
})

/** A browser as far as the portal needs one: a cookie, forms, and redirects that are followed. */
function browser({ urls }: Sandbox) {
  let cookie = ''
  const load = async (path: string, fields?: Record<string, string>): Promise<string> => {
    const response = await fetch(urls.portal + path, {
      method: fields ? 'POST' : 'GET',
      headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
      ...(fields ? { body: new URLSearchParams(fields).toString() } : {}),
    })
    const set = response.headers.get('set-cookie')
    if (set) cookie = set.split(';')[0] ?? ''
    const to = response.headers.get('location')
    return to === null ? response.text() : load(to.replace(/#.*/, ''))
  }
  return load
}

test('a person signs in, makes a key, sees it once and deletes it', async () => {
  await using sandbox = await startSandbox()
  const load = browser(sandbox)
  expect(await load('/')).toContain('action="/sign-in"')
  expect(await load('/keys', { name: 'early' })).toContain('Please sign in first.')
  expect(await load('/sign-in', { email: 'ada' })).toContain('That is not a mail address.')
  expect(await load('/sign-in', { email })).toContain('There are none.')

  const page = await load('/keys', { name: '<i>crm</i>', scope: 'full' })
  const key = page.match(/<code id="new-key">(KEY\w+)<\/code>/)?.[1] ?? ''
  expect(page).toContain('&lt;i&gt;crm&lt;/i&gt;')
  const again = await load('/')
  expect(again).not.toContain(key)
  const url = `${sandbox.urls.api}/v2/balance`
  expect((await send('GET', url, { token: key })).status).toBe(200)

  const action = again.match(/action="(\/keys\/[^"]+\/delete)"/)?.[1] ?? ''
  expect(await load(action, {})).toContain('There are none.')
  expect((await send('GET', url, { token: key })).status).toBe(401)
  expect(await load(action, {})).toContain('Page not found')
  expect(await load('/keys', { scope: 'all' })).toContain('cannot be made')

  expect(await load('/sign-out', {})).toContain('action="/sign-in"')
  expect(await load('/')).toContain('action="/sign-in"')
})
