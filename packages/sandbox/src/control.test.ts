import { expect, test } from 'vitest'
import { obtainKey, send } from '../test/client.ts'
import { startSandbox } from './index.ts'

test('faults can be given, watched, released and ended over HTTP', async () => {
  await using sandbox = await startSandbox()
  const { control, site } = sandbox.urls
  const json = { name: 'site_root', hold: 'before' }
  const added = await send('POST', `${control}/faults`, { json })
  expect(added.status).toBe(201)
  const url = `${control}/faults/${added.at('id')}`
  const answer = send('GET', site)
  await expect.poll(async () => (await send('GET', url)).json).toMatchObject({ held: [1], hits: 1 })
  expect((await send('POST', `${url}/release`)).status).toBe(204)
  expect((await answer).status).toBe(200)

  expect((await send('GET', `${control}/faults`)).json).toEqual({
    names: expect.arrayContaining(['bot_challenge', 'bot_signup', 'bot_sessions', 'api_keys']),
    faults: [{ id: added.at('id'), fault: json, hits: 1, held: [] }],
  })
  expect((await send('DELETE', url)).status).toBe(204)
  expect((await send('GET', url)).status).toBe(400)
  await send('POST', `${control}/faults`, { json: { name: 'site_root', status: 503 } })
  expect((await send('GET', site)).status).toBe(503)
  expect((await send('DELETE', `${control}/faults`)).status).toBe(204)
  expect((await send('GET', site)).status).toBe(200)

  const wrong = await send('POST', `${control}/faults`, { json: { name: 'nope', status: 503 } })
  expect(wrong.status).toBe(400)
  expect(wrong.at('error')).toMatch(/no such name/)
})

test('log, ledger and answers are there for other processes, and are not logged', async () => {
  await using sandbox = await startSandbox()
  const { control, api } = sandbox.urls
  await obtainKey(sandbox)
  const count = sandbox.log.length
  expect((await send('GET', `${control}/log`)).json).toEqual(sandbox.log)
  expect((await send('GET', `${control}/ledger`)).json).toEqual(sandbox.ledger)
  expect(sandbox.log).toHaveLength(count)

  const challenge = await send('POST', `${api}/v2/bot_challenge`)
  const right = sandbox.answerTo(challenge.at('data.nonce'))
  const ask = async (by: 'nonce' | 'problem') => {
    const query = new URLSearchParams({ [by]: challenge.at(`data.${by}`) })
    return (await send('GET', `${control}/answer?${query}`)).json
  }
  expect(await ask('nonce')).toEqual({ answer: right })
  expect(await ask('problem')).toEqual({ answer: right })
  expect((await send('GET', `${control}/answer?nonce=none`)).status).toBe(404)
})

test('the clock can be moved on, never back', async () => {
  await using sandbox = await startSandbox({ clock: { now: () => 5 } })
  const { control } = sandbox.urls
  const move = (advanceMs: unknown) => send('POST', `${control}/clock`, { json: { advanceMs } })
  expect((await move(1000)).json).toEqual({ now: 1005 })
  expect(sandbox.clock.now()).toBe(1005)
  expect((await move(-1)).status).toBe(400)
  expect((await move('soon')).status).toBe(400)
  expect((await send('GET', `${control}/clock`)).json).toEqual({ now: 1005 })
})
