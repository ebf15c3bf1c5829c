import { canary } from '@authmd/canary'
import { afterEach, expect, test } from 'vitest'
import { AuthError } from '../src/errors.ts'
import type { AuthEvent } from '../src/events.ts'
import { Secret } from '../src/vault/secret.ts'
import { makeKey } from './intake-world.ts'
import { askedFor, closeWorlds, expectStatus, openWorld, owner, solve } from './world.ts'

afterEach(closeWorlds)

const other = { tenant: 'acme', user: 'lee' }

test('what waits for a person: a question until it is answered, then what is to be handed over', async () => {
  const { auth, session, sandbox } = await openWorld({
    identity: () => ({ email: 'a@operator.test' }),
  })
  const service = sandbox.urls.api
  expect(await auth.people.waiting(owner)).toEqual([])
  const asked = expectStatus(await session.register({ service }), 'needs_answer')
  // A puzzle is for the model.
  expect(await auth.people.waiting(owner)).toEqual([])
  const registration = asked.registration ?? ''
  const input = { service, registration, answer: solve(sandbox, asked.problem) }
  const { consent, action } = expectStatus(await session.register(input), 'needs_consent')
  expect(await auth.people.waiting(owner)).toEqual([
    { kind: 'consent', id: consent, owner, action },
  ])
  expect(await auth.people.waiting(other)).toEqual([])
  await auth.people.answer(consent, { approve: true }, { approver: 'kim' })
  expect(await auth.people.waiting(owner)).toEqual([])
  const { need } = expectStatus(await session.register(input), 'needs_person')
  expect(await auth.people.waiting(owner)).toEqual([
    { kind: 'need', id: registration, owner, service, need },
  ])
  await session.cancel(registration)
  expect(await auth.people.waiting(owner)).toEqual([])
})

test('a question that has expired does not wait', async () => {
  const { auth, session, sandbox } = await openWorld()
  const service = sandbox.urls.api
  const asked = expectStatus(await session.register({ service }), 'needs_answer')
  const input = {
    service,
    registration: asked.registration ?? '',
    answer: solve(sandbox, asked.problem),
  }
  expectStatus(await session.register(input), 'needs_consent')
  sandbox.clock.advance(16 * 60_000)
  expect(await auth.people.waiting(owner)).toEqual([])
})

test('what discovery tried is told without asking the service again', async () => {
  const { session, sandbox } = await openWorld()
  const service = sandbox.urls.api
  expect(await session.profile(service)).toBeUndefined()
  await session.discover({ service })
  const before = sandbox.log.length
  const profile = await session.profile(`${service}/?query=1`)
  expect(profile?.tried.some(({ verdict }) => verdict === 'used')).toBe(true)
  expect(sandbox.log).toHaveLength(before)
})

test('the secret of a credential is handed over closed, to its owner, while there is one', async () => {
  const { auth, session, sandbox } = await openWorld()
  const secret = await makeKey({ sandbox })
  const service = sandbox.urls.api
  const { handle } = await session.import({ service, secret, audience: service })
  const closed = await auth.admin.secret(owner, handle)
  expect(Secret.open(closed)).toBe(secret)
  canary.see('result', closed)
  await expect(auth.admin.secret(other, handle)).rejects.toMatchObject({ code: 'not_found' })
  await session.forget(handle)
  const gone = auth.admin.secret(owner, handle)
  await expect(gone).rejects.toBeInstanceOf(AuthError)
  await expect(gone).rejects.toMatchObject({ code: 'not_found' })
})

test('a form of what waits is for its owner alone, and records who filled it in', async () => {
  const decisions: unknown[] = []
  const onEvent = (event: AuthEvent) => {
    canary.see('event', event)
    if (event.type === 'decision') decisions.push(event.approver)
  }
  const world = await openWorld({ onEvent })
  const { auth, session } = world
  const { consent, input } = await askedFor(world)
  const kim = { owner, approver: 'kim@operator.test' }
  const formFor = (more: object) =>
    auth.people.form(consent.consent, { ...kim, kind: 'consent', ...more })
  expect(await formFor({ owner: other })).toBeUndefined()
  expect(await formFor({ kind: 'paste-key' })).toBeUndefined()
  await expect(formFor({ approver: '' })).rejects.toMatchObject({ code: 'invalid_input' })
  await expect(formFor({ owner: {} })).rejects.toMatchObject({ code: 'owner_invalid' })
  const form = await formFor({})
  const parts = { token: 't', action: '/decide', status: 200, fault: undefined }
  const { main } = form?.shown(parts) ?? {}
  for (const line of consent.action.summary.split('\n').slice(1)) expect(main?.text).toContain(line)
  // It is part of a page: no link led to it.
  expect(main?.text).not.toContain('The link that led here')
  expect(await form?.take(new URLSearchParams({ decision: 'perhaps' }))).toHaveProperty('fault')
  expect(await form?.take(new URLSearchParams({ decision: 'approve' }))).toHaveProperty('last')
  expect(decisions).toEqual(['kim@operator.test'])
  expect(await formFor({})).toBeUndefined()
  expectStatus(await session.register(input), 'pending')
})

test('an operator revokes one credential: the others, and other owners, keep theirs', async () => {
  const { auth, session, sandbox } = await openWorld()
  const { api } = sandbox.urls
  const imported = (name: string) =>
    session.import({ service: api, audience: `${api}/v2`, secret: `KEY0SANDBOX0${name}` })
  const { handle } = await imported('FIRST')
  const kept = await imported('SECOND')
  const kim = { approver: 'kim@operator.test' }
  await expect(auth.admin.revoke(other, handle, kim)).rejects.toMatchObject({ code: 'not_found' })
  expectStatus(await auth.admin.revoke(owner, handle, kim), 'ended')
  const states = (await session.list()).map((one) => [one.handle, one.state])
  expect(states.sort()).toEqual(
    [
      [handle, 'forgotten'],
      [kept.handle, 'active'],
    ].sort(),
  )
  await auth.share({ owner, handle: kept.handle }, other, { verbs: ['use'] })
  // Given back, not ended.
  expect(await auth.admin.revoke(other, kept.handle, kim)).toBeUndefined()
  expect(await auth.admin.list(other)).toEqual([])
  expect(await session.list()).toContainEqual(kept)
})
