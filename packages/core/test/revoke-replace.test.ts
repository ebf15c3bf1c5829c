import { personAtPortal, type Sandbox } from '@authmd/sandbox'
import { describe, expect, it } from 'vitest'
import type { Session } from '../src/session.ts'
import { renderOutcome } from '../src/tools/render.ts'
import { agreed, canary, hold } from './held.ts'
import { email, obtain, solve, startWorld } from './world.ts'

async function registered() {
  const { sandbox, auth, session } = await startWorld()
  const approve = (id: string) => auth.people.answer(id, { approve: true }, { approver: 'kim' })
  const ready = await obtain(sandbox, session, approve)
  if (ready.status !== 'ready') throw new Error(ready.status)
  const old = ready.credential.handle
  const keys = () => sandbox.ledger.filter((one) => one.kind === 'api_key')
  const replace = () => session.revoke({ credential: old, replace: true })
  return { sandbox, auth, session, approve, old, keys, replace }
}

/** Goes on with a replacement to its end, by what the outcomes say is next. */
async function goOn(
  sandbox: Sandbox,
  session: Session,
  replace: () => ReturnType<Session['revoke']>,
  approve: (id: string) => Promise<unknown>,
) {
  const asked = await replace()
  if (asked.status !== 'needs_answer') throw new Error(asked.status)
  expect(asked.next).toContain(`registration: "${asked.registration}"`)
  const input = {
    service: sandbox.urls.api,
    registration: asked.registration ?? '',
    answer: solve(sandbox, asked.problem),
  }
  const consent = await session.register(input)
  if (consent.status !== 'needs_consent') throw new Error(consent.status)
  await approve(consent.consent)
  await session.register(input)
  return session.claim({ registration: input.registration })
}

describe('replace', () => {
  it('makes a new key, sees it work, uses it, and only then has the old one deleted', async () => {
    const { sandbox, auth, session, approve, old, keys, replace } = await registered()
    await using _ = sandbox
    const { api } = sandbox.urls
    const use = { service: api, path: '/v2/balance' }

    const asked = await replace()
    expect(asked.status).toBe('needs_answer')
    expect(await session.use(use)).toMatchObject({ status: 'answered', credential: old })

    const probes = sandbox.log.length
    const ready = await goOn(sandbox, session, replace, approve)
    if (ready.status !== 'ready') throw new Error(ready.status)
    const made = ready.credential.handle
    expect(made).not.toBe(old)
    expect(renderOutcome(ready)).toMatch(
      new RegExp(`Next: auth_revoke { credential: "${old}" } ends the old one`),
    )
    const probe = sandbox.log
      .slice(probes)
      .findLast((one) => one.name === 'available_phone_numbers')
    expect(probe?.authorization).toBe(keys()[1]?.id)

    // The same call again says the same and makes nothing.
    expect(await replace()).toMatchObject({ status: 'ready', next: ready.next })
    expect(keys()).toHaveLength(2)
    expect(await session.use(use)).toMatchObject({ status: 'answered', credential: made })
    expect(await session.discover({ service: api })).toMatchObject({ credential: { handle: made } })

    const revoke = () => session.revoke({ credential: old })
    expect(await agreed(auth, revoke)).toMatchObject({ status: 'needs_person' })
    expect(await session.use(use)).toMatchObject({ status: 'answered', credential: made })
    await personAtPortal(sandbox, email).deleteKey(keys()[0]?.id ?? '')
    expect(await revoke()).toMatchObject({ status: 'ended', verdict: 'revoked' })
    expect(await session.use(use)).toMatchObject({ status: 'answered', credential: made })
    expect(await replace()).toMatchObject({ status: 'refused', code: 'credential_revoked' })
  })

  it('leaves the old one in use while the new one does not work', async () => {
    const { sandbox, session, approve, old, replace } = await registered()
    await using _ = sandbox
    const use = { service: sandbox.urls.api, path: '/v2/balance' }
    const fault = sandbox.faults.add({ name: 'available_phone_numbers', status: 401, body: {} })
    const ready = await goOn(sandbox, session, replace, approve)
    if (ready.status !== 'ready') throw new Error(ready.status)
    const made = ready.credential.handle
    expect(ready.next).toContain(`auth_use { credential: "${made}"`)
    expect(ready.next).toContain('only then auth_revoke')
    expect(await session.use(use)).toMatchObject({ credential: old })
    fault.remove()
    // Seen to work by a use of its own, it takes the place of the old one.
    await session.use({ credential: made, path: '/v2/balance' })
    expect(await session.use(use)).toMatchObject({ credential: made })
    expect(await replace()).toMatchObject({ next: expect.stringContaining('ends the old one') })
  })

  it('is asked about beforehand as what it is: another registration', async () => {
    const { sandbox, session, old } = await registered()
    await using _ = sandbox
    const input = { credential: old, replace: true }
    const before = sandbox.log.length
    expect(await session.preview('revoke', input)).toBeUndefined()
    expect(sandbox.log).toHaveLength(before)
    expect(await session.preview('revoke', { credential: old })).toMatchObject({ verb: 'revoke' })
  })

  it('of a key that was pasted says that no way in is known', async () => {
    const { session, handle } = await hold(
      (_request, response) => {
        response.writeHead(404).end()
      },
      { secret: canary },
    )
    expect(await session.revoke({ credential: handle, replace: true })).toMatchObject({
      status: 'refused',
      code: 'no_offer',
    })
    expect(await session.list()).toMatchObject([{ handle, state: 'active' }])
  })
})
