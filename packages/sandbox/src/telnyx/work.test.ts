import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { send } from '../../test/client.ts'
import { startSandbox } from '../index.ts'
import { signInLink } from './sign-in-mail.ts'
import { zeroBits } from './work.ts'

/** The first number whose hash passes, or with `good` false the first that does not. */
function find(text: string, bits: number, good = true): number {
  for (let n = 0; ; n++) {
    const hash = createHash('sha256').update(`${text}${n}`).digest('hex')
    const passes = BigInt(`0x${hash}`) >> BigInt(256 - bits) === 0n
    if (passes === good) return n
  }
}

test('leading zero bits are counted across bytes', () => {
  expect(
    [[0x80], [0x01], [0, 0x20], [0, 0]].map((bytes) => zeroBits(Uint8Array.from(bytes))),
  ).toEqual([0, 7, 10, 16])
})

test('the older sign-up takes a right solution once, within ten minutes, and spends the nonce on a wrong one', async () => {
  await using sandbox = await startSandbox({ proofOfWork: { leadingZeroBits: 10 } })
  const { api, site } = sandbox.urls
  const challenge = async () => {
    const { json } = await send('POST', `${api}/v2/pow_signup_challenge`)
    return (json as { data: Record<string, string> }).data
  }
  const signUp = async (given: Record<string, string>, pow_solution: unknown) => {
    const { terms_and_conditions_url, privacy_policy_url, nonce } = given
    const body = { pow_nonce: nonce, pow_solution, terms_and_conditions_url, privacy_policy_url }
    const json = { ...body, terms_of_service: true, email: 'ada@agents.test' }
    return (await send('POST', `${api}/v2/bot_signup`, { json })).status
  }
  const first = await challenge()
  expect(first).toMatchObject({ algorithm: 'sha256', leading_zero_bits: 10 })
  const right = find(first.nonce ?? '', 10)
  expect(await signUp(first, 'one')).toBe(400)
  expect(await signUp(first, right)).toBe(200)
  expect(await signUp(first, right)).toBe(422)
  const second = await challenge()
  expect(await signUp(second, find(second.nonce ?? '', 10, false))).toBe(422)
  expect(await signUp(second, find(second.nonce ?? '', 10))).toBe(422)
  const third = await challenge()
  sandbox.clock.advance(10 * 60_000)
  expect(await signUp(third, find(third.nonce ?? '', 10))).toBe(422)
  expect((await send('POST', `${api}/v2/bot_challenge`)).status).toBe(404)
  expect((await send('GET', `${site}/agent-signup.md`)).text).toContain('/v2/pow_signup_challenge')
})

test('an inbox costs a proof of work, a wrong one costs nothing, and its key reads its own mail only', async () => {
  await using sandbox = await startSandbox({ agentInbox: { difficultyBits: 9 } })
  const { api } = sandbox.urls
  const inbox = api.replace('//api.', '//agent-inbox.')
  const purpose = 'bot_signup'
  type Data = Record<string, string>
  const post = async (path: string, json: object) => {
    const answer = await send('POST', `${inbox}/v2/agent_inboxes${path}`, { json })
    return { ...answer, data: (answer.json as { data: Data }).data }
  }
  expect((await post('/challenges', {})).status).toBe(400)
  const make = async () => {
    const { data } = await post('/challenges', { purpose })
    expect(data).toMatchObject({ algorithm: 'sha256-v1', difficulty_bits: 9 })
    const { challenge_id, challenge = '' } = data
    const nonce = find(`${challenge}:`, 9)
    const wrong = find(`${challenge}:`, 9, false)
    const refused = await post('', { purpose, pow: { challenge_id, nonce: String(wrong) } })
    expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('Invalid proof')])
    const pow = { challenge_id, nonce: String(nonce) }
    const made = await post('', { purpose, pow })
    expect((await post('', { purpose, pow })).status).toBe(422)
    return made.data
  }
  const [own, other] = [await make(), await make()]
  const solved = await send('POST', `${api}/v2/bot_challenge`)
  const puzzle = (solved.json as { data: Data }).data
  const { nonce = '', terms_and_conditions_url, privacy_policy_url } = puzzle
  const json = {
    bot_challenge_nonce: nonce,
    bot_challenge_answer: sandbox.answerTo(nonce),
    terms_and_conditions_url,
    privacy_policy_url,
    terms_of_service: true,
    email: own.email,
  }
  expect((await send('POST', `${api}/v2/bot_signup`, { json })).status).toBe(200)
  const read = (account: Data, key: Data, id = '') =>
    send('GET', `${inbox}/v2/agent_inboxes/${account.account_id}/messages${id}`, {
      headers: { authorization: `Bearer ${key.account_key}` },
    })
  expect((await read(own, other)).status).toBe(401)
  const { data } = (await read(own, own)).json as { data: (Data & { html: string })[] }
  expect(data).toHaveLength(1)
  expect(data[0]?.id).toMatch(/^<.*>$/)
  const one = await read(own, own, `/${encodeURIComponent(data[0]?.id ?? '')}`)
  const { html } = (one.json as { data: { html: string } }).data
  expect((await send('GET', signInLink({ html }))).status).toBe(200)
})
