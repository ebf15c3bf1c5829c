import { expect, test } from 'vitest'
import { send } from '../test/client.ts'
import { longestChain, startSandbox } from './index.ts'

const span = (startSeq: number, endSeq?: number) => ({
  startSeq,
  ...(endSeq === undefined ? {} : { endSeq }),
})

test('longestChain counts what follows and not what overlaps', () => {
  expect(longestChain([])).toBe(0)
  expect(longestChain([span(1, 2), span(3, 4), span(5, 6)])).toBe(3)
  expect(longestChain([span(1, 4), span(2, 5), span(3, 6)])).toBe(1)
  // A long request beside three short ones does not break their chain.
  expect(longestChain([span(1, 10), span(2, 3), span(4, 5), span(6, 7)])).toBe(3)
  expect(longestChain([span(5, 6), span(1, 2)])).toBe(2)
  // What has not ended can only come last.
  expect(longestChain([span(1), span(2, 3), span(4)])).toBe(2)
})

test('waves of requests count as many as they have to wait, even under a clock that stands', async () => {
  await using sandbox = await startSandbox({
    clock: { now: () => 1000 },
    faults: [{ name: '*', hold: 'before' }],
  })
  const [fault] = sandbox.faults.list()
  const wave = async (count: number) => {
    const answers = Array.from({ length: count }, () => send('GET', sandbox.urls.site))
    await expect.poll(() => fault?.held.length).toBe(count)
    fault?.release()
    await Promise.all(answers)
  }
  await wave(3)
  await wave(2)
  expect(sandbox.log).toHaveLength(5)
  expect(
    sandbox.log.every(({ startedAt, endedAt }) => startedAt === 1000 && endedAt === 1000),
  ).toBe(true)
  expect(longestChain(sandbox.log)).toBe(2)
})

test('the log keeps query, headers and body, and names no credential that it does not know', async () => {
  await using sandbox = await startSandbox()
  await send('POST', `${sandbox.urls.api}/v2/messages?dry=1`, {
    json: { text: 'ä' },
    token: 'KEY-of-nobody',
    headers: { 'x-test': 'yes' },
  })
  expect(sandbox.log).toEqual([
    expect.objectContaining({
      n: 1,
      name: 'messages',
      method: 'POST',
      host: 'api.telnyx.localhost',
      path: '/v2/messages?dry=1',
      status: 401,
      effect: false,
      body: '{"text":"ä"}',
    }),
  ])
  expect(sandbox.log[0]?.headers).toMatchObject({
    'x-test': 'yes',
    authorization: 'Bearer KEY-of-nobody',
  })
  expect(sandbox.log[0]).not.toHaveProperty('authorization')
})

test('a body that is too large is refused', async () => {
  await using sandbox = await startSandbox()
  const json = { text: 'a'.repeat(1_000_001) }
  const { status } = await send('POST', `${sandbox.urls.api}/v2/bot_challenge`, { json })
  expect(status).toBe(413)
})
