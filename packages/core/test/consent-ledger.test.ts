import { expect, test } from 'vitest'
import { type Action, makeAction } from '../src/consent/action.ts'
import { type Call, ConsentLedger } from '../src/consent/ledger.ts'
import type { Outcome } from '../src/outcome.ts'
import { RecordIndex } from '../src/vault/index-record.ts'
import { memoryStore } from '../src/vault/memory-store.ts'
import type { Store } from '../src/vault/store.ts'

const minute = 60_000
const owner = { tenant: 'acme', user: 'kim' }
const code: Call = { channel: 'code' }
const yes = { approved: true, approver: 'kim', channel: 'people' }
const no = { approved: false, approver: 'kim', channel: 'people' }
const outcome: Outcome = { status: 'pending', notBefore: 0, reason: 'r', next: 'n' }

function actionOf(change: Partial<Action> = {}): Promise<Action> {
  return makeAction({
    verb: 'register',
    owner,
    service: 'https://api.vendor.example',
    registration: 'reg_1',
    revision: 0,
    effects: [
      {
        kind: 'present-identity',
        email: 'kim@operator.test',
        emailFrom: 'session',
        to: 'api.vendor.example',
      },
    ],
    ...change,
  })
}

function open(store: Store = memoryStore()) {
  const time = { now: 1_000_000 }
  const ledger = new ConsentLedger(store, new RecordIndex(store), () => time.now)
  return { ledger, time, store }
}

async function asked(ledger: ConsentLedger, action: Action, call: Call = code) {
  const standing = await ledger.ask(action, call)
  if (standing.kind !== 'asked') throw new Error(`expected a question, got ${standing.kind}`)
  return standing.consent
}

test('of two calls at once exactly one may go ahead', async () => {
  const { ledger } = open()
  const action = await actionOf()
  const { id } = await asked(ledger, action)
  await ledger.decide(owner, id, yes)
  const calls = ['a', 'b', 'c', 'd'].map((callId) => ledger.redeem(action, { ...code, callId }))
  const kinds = (await Promise.all(calls)).map(({ kind }) => kind)
  expect(kinds.filter((kind) => kind === 'open')).toHaveLength(1)
  expect(kinds.filter((kind) => kind === 'none')).toHaveLength(3)
})

test('what came of it is given to the same call again, and to no other', async () => {
  const { ledger, time } = open()
  const action = await actionOf()
  const consent = await asked(ledger, action)
  const { id } = consent
  await ledger.decide(owner, id, yes)
  const mine = { channel: 'ai-sdk', callId: 'call-1' }
  expect(await ledger.redeem(action, mine)).toMatchObject({ kind: 'open' })
  expect(await ledger.redeem(action, mine)).toMatchObject({ kind: 'lost' })
  await ledger.settle(consent, outcome, false)
  expect(await ledger.redeem(action, mine)).toMatchObject({ kind: 'done', outcome })
  expect(await ledger.look(action, mine)).toMatchObject({ kind: 'done', outcome })
  expect(await ledger.redeem(action, { ...mine, callId: 'call-2' })).toEqual({ kind: 'none' })
  time.now += 60 * minute
  expect(await ledger.redeem(action, mine)).toMatchObject({ kind: 'done', outcome })
})

test('a refusal before the service committed leaves it open for three tries, no more', async () => {
  const { ledger } = open()
  const action = await actionOf()
  const consent = await asked(ledger, action)
  const { id } = consent
  await ledger.decide(owner, id, yes)
  for (let tries = 0; tries < 3; tries++) {
    expect(await ledger.redeem(action, code), `try ${tries}`).toMatchObject({ kind: 'open' })
    await ledger.settle(consent, outcome, true)
  }
  expect(await ledger.redeem(action, code)).toEqual({ kind: 'none' })
  expect((await asked(ledger, action)).id).not.toBe(id)
})

test('a refusal after it expired does not open it again', async () => {
  const { ledger, time } = open()
  const action = await actionOf()
  const consent = await asked(ledger, action)
  const { id } = consent
  await ledger.decide(owner, id, yes)
  await ledger.redeem(action, code)
  time.now += 15 * minute
  await ledger.settle(consent, outcome, true)
  expect(await ledger.redeem(action, code)).toEqual({ kind: 'none' })
})

test('a question and a consent both end after 15 minutes', async () => {
  const { ledger, time } = open()
  const action = await actionOf()
  const question = await asked(ledger, action)
  time.now += 15 * minute
  await expect(ledger.decide(owner, question.id, yes)).rejects.toMatchObject({
    code: 'invalid_input',
  })
  const second = await asked(ledger, action)
  expect(second.id).not.toBe(question.id)
  await ledger.decide(owner, second.id, yes)
  time.now += 15 * minute - 1
  expect(await ledger.look(action, code)).toMatchObject({ kind: 'open' })
  time.now += 1
  expect(await ledger.redeem(action, code)).toEqual({ kind: 'none' })
})

test('a no holds for ten minutes', async () => {
  const { ledger, time } = open()
  const action = await actionOf()
  const { id } = await asked(ledger, action)
  await ledger.decide(owner, id, no)
  const until = time.now + 10 * minute
  for (const call of [code, { channel: 'mastra', callId: 'c' }]) {
    expect(await ledger.ask(action, call)).toMatchObject({ kind: 'denied', until })
    expect(await ledger.redeem(action, call)).toMatchObject({ kind: 'denied', until })
  }
  time.now = until
  expect((await asked(ledger, action)).id).not.toBe(id)
})

test.each([
  { first: yes, second: no },
  { first: no, second: yes },
])('what was decided $first.approved stays decided', async ({ first, second }) => {
  const { ledger } = open()
  const { id } = await asked(ledger, await actionOf())
  await ledger.decide(owner, id, first)
  await expect(ledger.decide(owner, id, second)).rejects.toMatchObject({ code: 'invalid_input' })
  expect(await ledger.decide(owner, id, { ...first, approver: 'sam' })).toMatchObject({
    decision: { approved: first.approved, approver: 'kim' },
  })
})

test('a used consent is not decided or used again, by no framework either', async () => {
  const { ledger } = open()
  const action = await actionOf()
  const call = { channel: 'ai-sdk', callId: 'call-1' }
  const consent = await asked(ledger, action, call)
  const { id } = consent
  await ledger.decide(owner, id, yes)
  expect(await ledger.redeem(action, call)).toMatchObject({ kind: 'open' })
  await ledger.settle(consent, outcome, false)
  const replayed = { ...call, callId: 'call-2' }
  expect(await ledger.redeem(action, replayed)).toEqual({ kind: 'none' })
  await expect(ledger.decide(owner, id, no)).rejects.toMatchObject({ code: 'invalid_input' })
})

test("a framework's call finds its own open question, whatever it would do by now", async () => {
  const { ledger, time } = open()
  const call = { channel: 'mastra', callId: 'call-1' }
  const first = await asked(ledger, await actionOf(), call)
  const joined = { ...call, callId: 'call-2' }
  await asked(ledger, await actionOf(), joined)
  for (const one of [call, joined]) expect((await ledger.asked(owner, one))?.id).toBe(first.id)
  for (const other of [
    { channel: 'mastra' },
    { ...call, callId: 'call-3' },
    { ...call, channel: 'ai-sdk' },
    { ...call, thread: 't' },
  ]) {
    expect(await ledger.asked(owner, other)).toBeUndefined()
  }
  expect(await ledger.asked({ tenant: 'acme' }, call)).toBeUndefined()
  // A provider that counts its call ids from the start again.
  const second = await asked(ledger, await actionOf({ revision: 1 }), call)
  expect((await ledger.asked(owner, call))?.id).toBe(second.id)
  await ledger.decide(owner, second.id, no)
  expect(await ledger.asked(owner, call)).toBeUndefined()
  time.now += 15 * minute
  expect(await ledger.asked(owner, joined)).toBeUndefined()
  // Put anew by a call without an id: the question is not that of the old call.
  await asked(ledger, await actionOf(), { channel: 'mastra' })
  expect(await ledger.asked(owner, joined)).toBeUndefined()
})

test('another owner can neither see it nor decide it', async () => {
  const { ledger } = open()
  const action = await actionOf()
  const { id } = await asked(ledger, action)
  for (const other of [{ tenant: 'acme' }, { tenant: 'acme', user: 'kim', agent: 'a' }]) {
    await expect(ledger.decide(other, id, yes)).rejects.toMatchObject({ code: 'not_found' })
    const theirs = await actionOf({ owner: other })
    expect(theirs.digest).not.toBe(action.digest)
    expect(await ledger.look(theirs, code)).toEqual({ kind: 'none' })
    // Even with the digest of somebody else.
    const forged = { ...theirs, digest: action.digest }
    await ledger.decide(owner, id, yes)
    expect(await ledger.redeem(forged, code)).toEqual({ kind: 'none' })
  }
})

test('an approval inside one thread does not count in another; one out of band counts in all', async () => {
  const { ledger } = open()
  const [inside, outside] = [await actionOf(), await actionOf({ revision: 1 })]
  const call = { channel: 'langchain', callId: 'c1', thread: 't1' }
  const first = await asked(ledger, inside, call)
  await ledger.decide(owner, first.id, { ...yes, channel: 'langchain' })
  expect(await ledger.redeem(inside, { ...call, thread: 't2' })).toEqual({ kind: 'none' })
  expect(await ledger.redeem(inside, code)).toEqual({ kind: 'none' })
  expect(await ledger.redeem(inside, call)).toMatchObject({ kind: 'open' })
  const second = await asked(ledger, outside, call)
  await ledger.decide(owner, second.id, yes)
  expect(await ledger.redeem(outside, { ...call, thread: 't2' })).toMatchObject({ kind: 'open' })
})

test('a question asked twice is one question, which both calls have joined', async () => {
  const { ledger, store } = open()
  const action = await actionOf()
  const calls = ['c1', 'c2'].map((callId) => ({ channel: 'mastra', callId }))
  const all = await Promise.all(calls.map((call) => ledger.ask(action, call)))
  const ids = all.map((one) => (one.kind === 'asked' ? one.consent.id : one.kind))
  expect(ids[0]).toBe(ids[1])
  for (const call of calls) {
    expect(await ledger.look(action, call)).toMatchObject({ kind: 'asked' })
  }
  const { records } = await store.list({ kind: 'consent' })
  expect(records).toHaveLength(1)
})

const changes: readonly Partial<Action>[] = [
  { verb: 'use' },
  { owner: { tenant: 'acme', user: 'sam' } },
  { service: 'https://api.vendor.example/' },
  { registration: 'reg_2' },
  { revision: 1 },
  { effects: [] },
  {
    effects: [
      {
        kind: 'present-identity',
        email: 'kim@operator.test',
        emailFrom: 'model',
        to: 'api.vendor.example',
      },
    ],
  },
]
test.each(changes)('an action with %j is another action', async (change) => {
  const { ledger } = open()
  const action = await actionOf()
  const { id } = await asked(ledger, action)
  await ledger.decide(owner, id, yes)
  const altered = await actionOf(change)
  expect(altered.digest).not.toBe(action.digest)
  expect(await ledger.redeem(altered, code)).toEqual({ kind: 'none' })
})

test('every question stays readable as a record, with what became of it', async () => {
  const { ledger, time } = open()
  const action = await actionOf()
  const ids: string[] = []
  for (const decision of [no, yes, undefined, yes]) {
    const { id } = await asked(ledger, action)
    ids.push(id)
    if (decision) await ledger.decide(owner, id, decision)
    time.now += 20 * minute
  }
  const kept = await Promise.all(ids.map((id) => ledger.byId(id)))
  expect(kept.map(({ consent }) => consent.state)).toEqual([
    'denied',
    'approved',
    'asked',
    'approved',
  ])
  expect(kept.map(({ consent }) => consent.round)).toEqual([0, 1, 2, 3])
  await expect(ledger.decide(owner, ids[2] ?? '', yes)).rejects.toMatchObject({
    code: 'invalid_input',
  })
})

test('a record put aside by a process that was killed in between is still found', async () => {
  const { ledger, time, store } = open()
  const action = await actionOf()
  const { id } = await asked(ledger, action)
  time.now += 20 * minute
  const { put } = store
  // Killed after the copy was written, before the index points at it.
  store.put = async (record, expected) => {
    if (record.kind === 'meta') throw new Error('killed')
    return put.call(store, record, expected)
  }
  await expect(ledger.ask(action, code)).rejects.toThrow('killed')
  store.put = put
  await asked(ledger, action)
  expect(await ledger.byId(id)).toMatchObject({ consent: { id, state: 'asked' } })
})

test('what came of a used consent is kept though the question was put anew meanwhile', async () => {
  const { ledger } = open()
  const action = await actionOf()
  const consent = await asked(ledger, action)
  const { id } = consent
  await ledger.decide(owner, id, yes)
  await ledger.redeem(action, { channel: 'mastra', callId: 'c1' })
  await asked(ledger, action, { channel: 'mastra', callId: 'c2' })
  await ledger.settle(consent, outcome, true)
  expect(await ledger.byId(id)).toMatchObject({ consent: { state: 'redeemed', outcome } })
  expect(await ledger.redeem(action, code)).toEqual({ kind: 'none' })
})

test("a policy's yes to two equal calls at once is two rows, each with what came of it", async () => {
  const { ledger } = open()
  const action = await actionOf()
  const calls = ['c1', 'c2'].map((callId) => ({ channel: 'ai-sdk', callId }))
  const granted = []
  for (const call of calls) granted.push(await ledger.grant(action, call, 'policy: rule 0'))
  const ids: string[] = []
  for (const [at, standing] of granted.entries()) {
    if (standing.kind !== 'open') throw new Error(standing.kind)
    ids.push(standing.consent.id)
    await ledger.settle(standing.consent, { ...outcome, next: `n${at}` }, false)
  }
  const kept = await Promise.all(ids.map((id) => ledger.byId(id)))
  expect(kept).toMatchObject([
    { consent: { state: 'redeemed', redeemedBy: 'c1', outcome: { next: 'n0' } } },
    { consent: { state: 'redeemed', redeemedBy: 'c2', outcome: { next: 'n1' } } },
  ])
})
