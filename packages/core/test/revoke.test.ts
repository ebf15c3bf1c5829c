import { personAtPortal } from '@authmd/sandbox'
import { describe, expect, it } from 'vitest'
import { memoryStore } from '../src/node/main.ts'
import type { Outcome } from '../src/outcome.ts'
import { agreed, canary, hold, stoppable } from './held.ts'
import { email, obtain, startWorld } from './world.ts'

const ok = (_request: unknown, response: import('node:http').ServerResponse) => {
  response.end('{}')
}

/** A key at the sandbox's Telnyx, got the whole way. */
async function registered() {
  const store = memoryStore()
  const { sandbox, auth, session } = await startWorld({ store })
  const approve = (id: string) => auth.people.answer(id, { approve: true }, { approver: 'kim' })
  const ready = await obtain(sandbox, session, approve)
  if (ready.status !== 'ready') throw new Error(ready.status)
  const { handle } = ready.credential
  const entry = sandbox.ledger.find((one) => one.kind === 'api_key')
  if (entry === undefined) throw new Error('the sandbox issued no key')
  const revoke = () => session.revoke({ credential: handle })
  return { store, sandbox, auth, session, handle, entry, revoke }
}

/** A key that was imported with a probe and a page to delete it at. */
async function guided(answers: () => number) {
  const held = await hold((_request, response) => void response.writeHead(answers()).end('{}'))
  await held.session.forget(held.handle)
  const { origin } = held.service
  const { handle } = await held.session.import({
    service: origin,
    audience: origin,
    secret: canary,
    probe: `${origin}/me`,
    revocation: 'https://portal.svc.example/keys',
  })
  const revoke = () => held.session.revoke({ credential: handle })
  return { ...held, origin, handle, revoke }
}

/**
 * The verdict says what is true: ended at the service, only here, or not known.
 *
 * @see anthropics/claude-ai-mcp#451
 * @see CALLE-AI/awesome-phone-call-agents#775
 * @see modelcontextprotocol/typescript-sdk#739
 * @see clerk/cli#418
 */
describe('a key that a person deletes', () => {
  it('is out of use at once, still works, is deleted, is refused', async () => {
    const { store, sandbox, auth, session, handle, entry, revoke } = await registered()
    await using _ = sandbox
    const { api } = sandbox.urls
    const call = { service: api, path: '/v2/balance' }
    expect(await session.use(call)).toMatchObject({ status: 'answered' })

    const asked = await revoke()
    expect(asked).toMatchObject({
      status: 'needs_consent',
      action: { effects: [{ kind: 'revoke', credential: handle, how: 'guided' }] },
    })
    expect(await session.use(call)).toMatchObject({ status: 'answered' })
    const guide = await agreed(auth, revoke)
    expect(guide).toMatchObject({
      status: 'needs_person',
      need: { kind: 'open-link', url: expect.stringContaining('/#/app/api-keys') },
      next: `auth_revoke { credential: "${handle}" } when the person has deleted it`,
    })
    expect(JSON.stringify(guide)).toContain(`its id there is ${entry.id}`)

    // Nothing is signed any more, in whichever way it is asked for.
    const before = sandbox.log.length
    const gone = { status: 'refused', code: 'credential_revoked' }
    expect(await session.use(call)).toMatchObject(gone)
    expect(await session.use({ credential: handle, path: '/v2/balance' })).toMatchObject(gone)
    await expect(session.fetch(api)(`${api}/v2/balance`)).rejects.toMatchObject({
      code: 'not_found',
    })
    expect(sandbox.log).toHaveLength(before)

    expect(await revoke()).toMatchObject({
      status: 'needs_person',
      notice: expect.stringContaining('still works'),
    })
    await personAtPortal(sandbox, email).deleteKey(entry.id)
    const ended = await revoke()
    expect(ended).toEqual({
      status: 'ended',
      service: api,
      verdict: 'revoked',
      reason: expect.stringContaining('worked before and is refused now'),
      next: 'none: it is done',
    })
    const probes = sandbox.log.length
    expect(await revoke()).toEqual(ended)
    expect(await session.forget(handle)).toEqual(ended)
    expect(sandbox.log).toHaveLength(probes)

    // The secret is gone, the tombstone stays and is offered to nobody.
    for (const kind of ['credential', 'registration', 'consent', 'profile', 'meta'] as const) {
      for (const record of (await store.list({ kind })).records) {
        expect(record.value).not.toContain(entry.value)
      }
    }
    expect(await session.list()).toMatchObject([{ handle, state: 'revoked' }])
    expect(await session.discover()).toMatchObject({ credentials: [] })
    const found = await session.discover({ service: api })
    expect(found).toMatchObject({
      status: 'found',
      offers: expect.arrayContaining([expect.objectContaining({ method: 'telnyx-signup' })]),
    })
    expect(await session.use(call)).toMatchObject(gone)
  })

  it('is not known to be deleted while the service is down', async () => {
    const { sandbox, auth, session, handle, entry, revoke } = await registered()
    await using _ = sandbox
    await agreed(auth, revoke)
    await personAtPortal(sandbox, email).deleteKey(entry.id)
    for (const fault of [
      { cut: 'before' as const },
      { status: 503 },
      { status: 429 },
      { status: 403 },
    ]) {
      sandbox.faults.add({ name: 'available_phone_numbers', times: 1, ...fault })
      expect(await revoke()).toMatchObject({
        status: 'pending',
        notBefore: expect.any(Number),
        next: expect.stringContaining(handle),
      })
      expect(await session.list()).toMatchObject([{ state: 'revoking' }])
    }
    expect(await revoke()).toMatchObject({ status: 'ended', verdict: 'revoked' })
  })

  it('that was never seen to work is not called revoked', async () => {
    const { auth, revoke } = await guided(() => 401)
    expect(await agreed(auth, revoke)).toMatchObject({ status: 'needs_person' })
    const ended: Partial<Outcome> = {
      status: 'ended',
      verdict: 'unknown',
      url: 'https://portal.svc.example/keys',
    }
    expect(await revoke()).toMatchObject(ended)
    expect(await revoke()).toMatchObject(ended)
  })

  it('and of which only failures were seen neither', async () => {
    let status = 503
    const { auth, session, origin, revoke } = await guided(() => status)
    for (status of [503, 429, 500, 403]) await session.use({ service: origin, path: '/' })
    await agreed(auth, revoke)
    status = 401
    expect(await revoke()).toMatchObject({ verdict: 'unknown' })
  })

  it('is seen to work by the probe that is sent when it begins', async () => {
    let status = 200
    const { auth, service, revoke } = await guided(() => status)
    await agreed(auth, revoke)
    expect(service.seen.map((one) => one.url)).toEqual(['/me'])
    status = 401
    expect(await revoke()).toMatchObject({ verdict: 'revoked' })
  })

  it('is already refused by us while that probe waits', async () => {
    let letGo = () => {}
    const asked = Promise.withResolvers<void>()
    const held = await hold((_request, response) => {
      letGo = () => void response.end('{}')
      asked.resolve()
    })
    const { origin } = held.service
    await held.session.forget(held.handle)
    const { handle } = await held.session.import({
      service: origin,
      audience: origin,
      secret: canary,
      probe: `${origin}/me`,
      revocation: 'https://portal.svc.example/keys',
    })
    const revoking = agreed(held.auth, () => held.session.revoke({ credential: handle }))
    await asked.promise
    expect(await held.session.use({ service: origin, path: '/' })).toMatchObject({
      code: 'credential_revoked',
    })
    letGo()
    expect(await revoking).toMatchObject({ status: 'needs_person' })
  })
})

/** @see anthropics/claude-ai-mcp#451 */
describe('a key that nobody can be led to delete', () => {
  it('is forgotten, and that is said', async () => {
    const { auth, session, service, handle } = await hold(ok)
    const forgotten = await agreed(auth, () => session.revoke({ credential: handle }))
    expect(forgotten).toMatchObject({
      status: 'ended',
      verdict: 'forgotten',
      reason: expect.stringContaining('may still work'),
    })
    expect(service.connections()).toBe(0)
    expect(await session.revoke({ credential: handle })).toEqual(forgotten)
    expect(await session.list()).toMatchObject([{ handle, state: 'forgotten' }])
  })

  it('has no probe: what the person did is not known', async () => {
    const { auth, session, service, handle } = await hold(ok, {
      revocation: 'https://portal.svc.example/keys',
    })
    const revoke = () => session.revoke({ credential: handle })
    expect(await agreed(auth, revoke)).toMatchObject({ status: 'needs_person' })
    expect(await revoke()).toMatchObject({
      verdict: 'forgotten',
      url: 'https://portal.svc.example/keys',
    })
    expect(service.connections()).toBe(0)
  })

  it('is forgotten in code without a consent', async () => {
    const { session, handle } = await hold(ok)
    expect(await session.forget(handle)).toMatchObject({ verdict: 'forgotten' })
  })
})

describe('a revocation', () => {
  it('that a person declines changes nothing', async () => {
    const { auth, session, service, handle } = await hold(ok)
    const asked = await session.revoke({ credential: handle })
    if (asked.status !== 'needs_consent') throw new Error(asked.status)
    await auth.people.answer(asked.consent, { approve: false }, { approver: 'kim' })
    expect(await session.revoke({ credential: handle })).toMatchObject({
      status: 'refused',
      code: 'consent_denied',
    })
    expect(await session.use({ service: service.origin, path: '/' })).toMatchObject({
      status: 'answered',
    })
  })

  it('that is called for several times at once is one', async () => {
    const { auth, session, handle, revoke } = await guided(() => 200)
    const asked = await revoke()
    if (asked.status !== 'needs_consent') throw new Error(asked.status)
    await auth.people.answer(asked.consent, { approve: true }, { approver: 'kim' })
    const all = await Promise.all(Array.from({ length: 5 }, revoke))
    for (const outcome of all) expect(outcome).toMatchObject({ status: 'needs_person' })
    expect(await session.list()).toContainEqual(
      expect.objectContaining({ handle, state: 'revoking' }),
    )
  })

  it('of what is not there is an error', async () => {
    const { session } = await hold(ok)
    await expect(session.revoke({ credential: 'cred_nobody' })).rejects.toMatchObject({
      code: 'not_found',
    })
    await expect(session.revoke({ credential: '../x' })).rejects.toMatchObject({
      code: 'invalid_input',
    })
  })

  it('goes on after the service came back', async () => {
    const { auth, session } = await hold(ok)
    const { origin, stop, start } = await stoppable((_request, response) => {
      response.writeHead(401).end()
    })
    const { handle } = await session.import({
      service: origin,
      audience: origin,
      secret: 'another-made-up-key',
      probe: `${origin}/me`,
      revocation: `${origin}/keys`,
    })
    await stop()
    const revoke = () => session.revoke({ credential: handle })
    expect(await agreed(auth, revoke)).toMatchObject({ status: 'needs_person' })
    expect(await revoke()).toMatchObject({ status: 'pending' })
    await start()
    expect(await revoke()).toMatchObject({ status: 'ended', verdict: 'unknown' })
  })
})
