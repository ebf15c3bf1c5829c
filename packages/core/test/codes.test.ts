import { describe, expect, onTestFinished, test } from 'vitest'
import type { AuthEvent } from '../src/events.ts'
import { serveIntake } from '../src/node/intake-server.ts'
import { pauseOf, pauseSchema } from '../src/tools/pause.ts'
import { renderOutcome } from '../src/tools/render.ts'
import { authTools } from '../src/tools/tools.ts'
import { memoryStore } from '../src/vault/memory-store.ts'
import { rightCode, waitingForCode } from './coded.ts'
import { visit } from './intake-world.ts'
import { expectStatus } from './world.ts'

const kim = { approver: 'kim' }

async function pageOf(world: Awaited<ReturnType<typeof waitingForCode>>) {
  const intake = await serveIntake(world.auth)
  onTestFinished(intake.close)
  return visit((await intake.link(world.registration)).url)
}

describe('a code that a person hands over', () => {
  test('is asked for outside the chat, and goes as the service has it', async () => {
    const told: AuthEvent[] = []
    const world = await waitingForCode('read', { onEvent: (event) => void told.push(event) })
    const { auth, session, asked, registration, service } = world
    const text = renderOutcome(asked)
    expect(text).toBe(`needs_person · registration ${registration} · ${service.url}
Tell the person: Sign in on this page, which then shows a code.
Page: ${service.url}/claim
Next: auth_claim { registration: "${registration}" } when the person has handed the code over outside this chat; never ask for it here`)
    const said = await auth.people.answer(registration, { code: ' 028 - 117 ' }, kim)
    expect(said).toMatchObject({ status: 'ready' })
    expect(service.sent).toEqual([rightCode])
    expectStatus(await session.claim({ registration }), 'ready')
    expect(JSON.stringify(told)).not.toContain(rightCode)
  })

  test.each([
    ['with spaces', '028 117'],
    ['with dashes', '028\u2013117'],
    ['in full-width digits', '\uff10\uff12\uff18\u3000\uff11\uff11\uff17'],
    ['in a sentence', 'The code is 028 117.'],
  ])('on the page, %s', async (_, given) => {
    const world = await waitingForCode('read')
    const { submit } = await pageOf(world)
    const answer = await submit(given)
    expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('code was taken')])
    expect(world.service.sent).toEqual([rightCode])
    expectStatus(await world.session.claim({ registration: world.registration }), 'ready')
  })

  test.each([
    ['too short', '02811', 'it has 6 digits, and this has 5'],
    ['two of them', '028117 or 028118', 'more than one'],
    ['a link', 'https://vendor.example/claim?t=x', 'something else'],
    ['empty', '  ', 'empty'],
    ['huge', '028117 '.repeat(500), 'far too long'],
    ['beyond all measure', '0'.repeat(20_000), 'not what is asked for'],
  ])('refused on the page before anything is sent or stored: %s', async (_, given, why) => {
    const store = memoryStore()
    const world = await waitingForCode('read', { store })
    const stored = await store.list({ kind: 'registration' })
    const { submit } = await pageOf(world)
    const answer = await submit(given)
    expect([answer.status, answer.text]).toEqual([422, expect.stringContaining(why)])
    if (given.trim() !== '') expect(answer.text).not.toContain(given)
    expect(world.service.sent).toEqual([])
    expect(await store.list({ kind: 'registration' })).toEqual(stored)
    expect((await submit(rightCode)).status).toBe(200)
  })

  test('the page says where the code goes, and has a field for it', async () => {
    const world = await waitingForCode('read')
    const { page } = await pageOf(world)
    expect(page.text).toContain('inputmode="numeric" autocomplete="one-time-code"')
    expect(page.text).toContain(`href="${world.service.url}/claim"`)
    expect(page.text).toMatch(/The code will be told only to [^\n]*, nowhere else/)
  })

  test('a wrong code is said, and the right one is still taken', async () => {
    const world = await waitingForCode('read')
    const { submit } = await pageOf(world)
    const wrong = await submit('028118')
    expect([wrong.status, wrong.text]).toEqual([422, expect.stringContaining('does not know this')])
    expect((await submit(rightCode)).status).toBe(200)
    expect(world.service.sent).toEqual(['028118', rightCode])
  })

  test.each([
    { link: 'https://vendor.example/' },
    { done: true } as const,
    { code: '' },
    { code: 28117 as unknown as string },
    { code: rightCode, done: true } as unknown as { code: string },
  ])('%j is no code', async (said) => {
    const { auth, registration, service } = await waitingForCode('read')
    const answered = auth.people.answer(registration, said, kim)
    await expect(answered).rejects.toMatchObject({ code: 'invalid_input' })
    expect(service.sent).toEqual([])
  })

  test('of two at once one is sent', async () => {
    const { auth, registration, service } = await waitingForCode('read')
    const both = [1, 2].map(() => auth.people.answer(registration, { code: rightCode }, kim))
    const statuses = (await Promise.all(both)).map((one) => 'status' in one && one.status)
    expect(statuses).toContain('ready')
    expect(service.sent).toEqual([rightCode])
  })
})

describe('a code that a person types at the service', () => {
  test('is shown with its page; the agent looks again when it is done', async () => {
    const { auth, session, asked, registration, service } = await waitingForCode('enter')
    expect(renderOutcome(asked)).toBe(`needs_person · registration ${registration} · ${service.url}
Tell the person: Type the code on this page.
Page: ${service.url}/claim
Code, to show as it is, for that page alone: ${rightCode}
Next: auth_claim { registration: "${registration}" } when the person has typed the code there`)
    const code = auth.people.answer(registration, { code: rightCode }, kim)
    await expect(code).rejects.toMatchObject({ code: 'invalid_input' })
    expect(await auth.people.answer(registration, { done: true }, kim)).toMatchObject({
      status: 'needs_person',
      notice: 'The service does not know this code.',
    })
    service.typed = true
    await auth.people.answer(registration, { done: true }, kim)
    expectStatus(await session.claim({ registration }), 'ready')
    expect(service.sent).toEqual([undefined, undefined])
  })

  test('the page shows it, and takes nothing but that it is done', async () => {
    const world = await waitingForCode('enter')
    const { page, submit } = await pageOf(world)
    expect(page.text).toContain(`<strong class="code">${rightCode}</strong>`)
    expect(page.text).toContain(`href="${world.service.url}/claim"`)
    expect(page.text).not.toContain('id="given"')
    expect((await submit(rightCode)).status).toBe(422)
    world.service.typed = true
    expect((await submit('')).status).toBe(200)
    expect(world.service.sent).toEqual([undefined, undefined])
  })

  test('who says so too early, many times, may say so again', async () => {
    const world = await waitingForCode('enter')
    const { submit } = await pageOf(world)
    for (let tries = 0; tries < 11; tries++) expect((await submit('')).status).toBe(422)
    world.service.typed = true
    expect((await submit('')).status).toBe(200)
  })

  test('a pause of a framework holds what is to be shown', async () => {
    const { asked, registration, service } = await waitingForCode('enter')
    const call = { verb: 'register', input: { service: service.url } } as const
    const pause = pauseOf(call, asked)
    expect(pauseSchema.parse(JSON.parse(JSON.stringify(pause)))).toMatchObject({
      for: 'person',
      verb: 'claim',
      input: { registration },
      need: { kind: 'enter-code', code: rightCode },
    })
  })
})

describe('a code in a call of the model', () => {
  const claim = authTools.find(({ verb }) => verb === 'claim')!
  const call = { channel: 'test' }

  test('is refused with the way out of the chat, and nothing is sent', async () => {
    const { session, registration, service, auth } = await waitingForCode('read')
    const { text, outcome } = await claim.run(session, { registration, code: rightCode }, call)
    expect(outcome).toMatchObject({ status: 'refused', code: 'person_input' })
    expect(text).toBe(`refused · registration ${registration} · ${service.url}
person_input: The person hands a code over outside this chat. Nothing was sent.
Next: auth_claim { registration: "${registration}" }, without a code, when they have done it`)
    expect(await session.preview('claim', { registration, code: rightCode })).toBeUndefined()
    expect(service.sent).toEqual([])
    await auth.people.answer(registration, { code: rightCode }, kim)
    expectStatus(await session.claim({ registration }), 'ready')
  })

  test('counts as the person’s where the application lets codes pass', async () => {
    const world = await waitingForCode('read', { codesThroughModel: true })
    const { session, asked, registration, service } = world
    expect(renderOutcome(asked)).toMatch(
      `Next: auth_claim { registration: "${registration}", code: "…" } with the code that the person reads out`,
    )
    const short = await claim.run(session, { registration, code: '0281 1' }, call)
    expect(short.text).toBe(`refused · registration ${registration} · ${service.url}
person_input: this is not the code: it has 6 digits, and this has 5. Nothing was sent.
Next: auth_claim { registration: "${registration}", code: "…" } with the code that the person reads out`)
    expect(service.sent).toEqual([])
    const wrong = await claim.run(session, { registration, code: '028118' }, call)
    expect(wrong.text).toMatch(/^needs_person[\s\S]*does not know this code[\s\S]*code: "…"/)
    const right = await claim.run(session, { registration, code: '028-117' }, call)
    expect(right.text).toMatch(/^ready/)
    expect(service.sent).toEqual(['028118', rightCode])
    const again = await claim.run(session, { registration, code: rightCode }, call)
    expect(again.text).toMatch(/^ready/)
    expect(service.sent).toHaveLength(2)
  })

  test('is not taken for one that is to be typed at the service', async () => {
    const world = await waitingForCode('enter', { codesThroughModel: true })
    const { session, registration, service } = world
    const shown = await claim.run(session, { registration, code: rightCode }, call)
    expect(shown.text).toMatch(/^needs_person/)
    expect(service.sent).toEqual([])
  })

  test.each([true, false])('another owner’s registration is not found (%s)', async (allowed) => {
    const world = await waitingForCode('read', { codesThroughModel: allowed })
    const other = world.auth.as({ tenant: 'other' })
    const input = { registration: world.registration, code: rightCode }
    await expect(other.claim(input)).rejects.toMatchObject({ code: 'not_found' })
    expect(world.service.sent).toEqual([])
  })

  test.each(['0'.repeat(41), '', 28117])('%j is bad input', async (code) => {
    const { session, registration } = await waitingForCode('read', { codesThroughModel: true })
    const { error } = await claim.run(session, { registration, code }, call)
    expect(error).toMatchObject({ code: 'invalid_input' })
  })
})
