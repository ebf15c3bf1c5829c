import { expect, test } from 'vitest'
import { fetch, obtainKey, send, signUp, signupBody } from '../test/client.ts'
import { type Fault, startSandbox } from './index.ts'

test('status: answers instead of the service, with body and headers, so many times', async () => {
  await using sandbox = await startSandbox({
    faults: [
      {
        name: 'bot_signup',
        status: 429,
        headers: { 'retry-after': '7' },
        body: { errors: [] },
        times: 1,
      },
    ],
  })
  const json = await signupBody(sandbox, 'ada@agents.example')
  const url = `${sandbox.urls.api}/v2/bot_signup`
  const refused = await send('POST', url, { json })
  expect(refused).toMatchObject({ status: 429, json: { errors: [] } })
  expect(refused.headers.get('retry-after')).toBe('7')
  expect(sandbox.mail.list()).toEqual([])
  expect(sandbox.log.at(-1)).toMatchObject({ fault: 'status:429:before', effect: false })

  expect((await send('POST', url, { json })).status).toBe(200)
  expect(sandbox.log.at(-1)?.fault).toBeUndefined()
})

test('status after: the service has done it and says it has not', async () => {
  await using sandbox = await startSandbox()
  const json = await signupBody(sandbox, 'ada@agents.example')
  sandbox.faults.add({ name: 'bot_signup', status: 502, body: 'Bad gateway', when: 'after' })
  const answer = await send('POST', `${sandbox.urls.api}/v2/bot_signup`, { json })
  expect(answer).toMatchObject({ status: 502, text: 'Bad gateway' })
  expect(sandbox.mail.list('ada@agents.example')).toHaveLength(1)
  expect(sandbox.log.at(-1)).toMatchObject({ status: 502, effect: true })
})

test.each([
  ['before', 0],
  ['after', 1],
] as const)('cut %s: the connection breaks and %i keys exist', async (cut, keys) => {
  await using sandbox = await startSandbox()
  sandbox.faults.add({ name: 'api_keys', cut, times: 1 })
  await expect(obtainKey(sandbox)).rejects.toThrow(/fetch failed/)
  expect(sandbox.ledger.filter(({ kind }) => kind === 'api_key')).toHaveLength(keys)
  const entry = sandbox.log.at(-1)
  expect(entry).toMatchObject({ name: 'api_keys', fault: `cut:${cut}`, effect: keys === 1 })
  expect(entry?.status).toBeUndefined()
  expect(entry?.endSeq).toBeDefined()
})

test.each([
  ['before', 0],
  ['after', 1],
] as const)('hold %s: waits with %i keys made until it is released', async (hold, keys) => {
  await using sandbox = await startSandbox()
  const fault = sandbox.faults.add({ name: 'api_keys', hold })
  const made = () => sandbox.ledger.filter(({ kind }) => kind === 'api_key').length
  const key = obtainKey(sandbox)
  const entry = await fault.whenHeld()
  expect(entry.name).toBe('api_keys')
  expect(fault.held).toEqual([entry])
  expect(entry.endSeq).toBeUndefined()
  expect(made()).toBe(keys)
  fault.release()
  expect(await key).toMatch(/^KEY/)
  expect(fault.held).toEqual([])
  expect(made()).toBe(1)
})

test('hold: a callback can let the request go, and a client that has died does not matter', async () => {
  await using sandbox = await startSandbox()
  const link = await signUp(sandbox, 'ada@agents.example')
  const client = new AbortController()
  const fault = sandbox.faults.add({
    name: 'bot_sessions',
    hold: 'before',
    onHold: () => client.abort(),
  })
  await expect(fetch(link, { signal: client.signal })).rejects.toThrow(/abort/)
  await expect.poll(() => sandbox.ledger.map(({ kind }) => kind)).toContain('session')
  expect(fault.hits).toBe(1)
})

test('delay: waits before the service acts', async () => {
  await using sandbox = await startSandbox()
  sandbox.faults.add({ name: 'auth_md', delay: 30 })
  sandbox.faults.add({ name: 'auth_md', hold: 'after', times: 1 })
  const answer = send('GET', `${sandbox.urls.developers}/auth.md`)
  await sandbox.faults.list()[1]?.whenHeld()
  sandbox.faults.clear()
  expect((await answer).status).toBe(200)
  expect(sandbox.log[0]?.fault).toBe('delay:before,hold:after')
})

test('bodyReplace: keeps the status and sends something else', async () => {
  await using sandbox = await startSandbox()
  const get = () => send('GET', `${sandbox.urls.api}/.well-known/oauth-protected-resource`)
  const once = (bodyReplace: Fault['bodyReplace']) =>
    sandbox.faults.add({ name: 'prm', times: 1, bodyReplace: bodyReplace ?? 'empty' })
  once('empty')
  expect(await get()).toMatchObject({ status: 200, text: '' })
  once('html')
  const html = await get()
  expect(html.text).toMatch(/^<!doctype html>/)
  expect(html.headers.get('content-type')).toBe('text/html')
  once('not-json')
  await expect(get()).rejects.toThrow(SyntaxError)
  expect(await get()).toMatchObject({ status: 200, json: { resource: sandbox.urls.api } })
})

test('bodyReplace endless: never stops while somebody reads', async () => {
  await using sandbox = await startSandbox()
  sandbox.faults.add({ name: 'balance', bodyReplace: 'endless' })
  const response = await fetch(`${sandbox.urls.api}/v2/balance`)
  expect(response.status).toBe(401)
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > 300_000) break
  }
  expect(bytes).toBeGreaterThan(300_000)
  await expect.poll(() => sandbox.log[0]?.endSeq).toBeDefined()
})

test('faults meet only their endpoint, can be ended, and * meets all', async () => {
  await using sandbox = await startSandbox()
  const status = async (path: string) => (await send('GET', sandbox.urls.site + path)).status
  const fault = sandbox.faults.add({ name: 'terms', status: 503 })
  expect(await status('/terms-and-conditions-of-service')).toBe(503)
  expect(await status('/privacy-policy')).toBe(200)
  fault.remove()
  expect(await status('/terms-and-conditions-of-service')).toBe(200)
  sandbox.faults.add({ name: '*', status: 500 })
  expect(await status('/')).toBe(500)
  expect(await status('/nowhere')).toBe(500)
  sandbox.faults.clear()
  expect(await status('/')).toBe(200)
  expect(await status('/nowhere')).toBe(404)
})

test.each<[object, RegExp]>([
  [{ name: 'no_such', cut: 'before' }, /no such name/],
  [{ name: 'terms' }, /does nothing/],
  [{ name: 'terms', cutt: 'before' }, /unknown field cutt/],
  [{ name: 'terms', cut: 'midway' }, /before or after/],
  [{ name: 'terms', status: 99 }, /status/],
  [{ name: 'terms', hold: 'before', onHold: 'now' }, /onHold/],
  [{ name: 'terms', delay: -1 }, /delay/],
  [{ name: 'terms', delay: 1, times: 0 }, /times/],
  [{ name: 'terms', bodyReplace: 'toString' }, /bodyReplace/],
])('a fault that makes no sense is refused: %j', async (fault, why) => {
  await expect(startSandbox({ faults: [fault as Fault] })).rejects.toThrow(why)
})

test('close lets go of what is held', async () => {
  const sandbox = await startSandbox({ faults: [{ name: 'site_root', hold: 'before' }] })
  const answer = send('GET', sandbox.urls.site)
  await Promise.all([
    expect(answer).rejects.toThrow(/fetch failed/),
    sandbox.faults
      .list()[0]
      ?.whenHeld()
      .then(() => sandbox.close()),
  ])
  expect(sandbox.faults.list()).toEqual([])
})
