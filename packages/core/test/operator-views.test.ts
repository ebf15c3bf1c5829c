import { canary } from '@authmd/canary'
import { afterEach, expect, test } from 'vitest'
import { AuthError } from '../src/errors.ts'
import { Secret } from '../src/vault/secret.ts'
import { makeKey } from './intake-world.ts'
import { closeWorlds, expectStatus, openWorld, owner, solve } from './world.ts'

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
