import { authMdFault, type Sandbox } from '@authmd/sandbox'
import { afterEach, describe, expect, test } from 'vitest'
import { allowLoopback } from '../src/net/transport.ts'
import { createAgentAuth } from '../src/node/main.ts'
import type { Outcome } from '../src/outcome.ts'
import { memoryStore } from '../src/vault/memory-store.ts'
import {
  type At,
  ada,
  at,
  handOver,
  minute,
  ok,
  orphansOf,
  reads,
  registered,
} from './auth-md-world.ts'
import { approve, closeWorlds, expectStatus, owner, sent } from './world.ts'

afterEach(closeWorlds)

/** What only a claimed registration may do. */
async function writes(world: At): Promise<Outcome> {
  const input = { service: world.site.api, method: 'POST', path: '/api/resource', json: {} }
  const asked = await world.session.use(input)
  if (asked.status !== 'needs_consent') return asked
  await approve(world, asked)
  return world.session.use(input)
}
const written = { status: 'answered', answer: { status: 201 } }

/** A credential that is nobody's, and the call that has a person claim it. */
async function anonymous(world: At) {
  const { credential, registration = '', next } = expectStatus(await registered(world), 'ready')
  const input = { service: world.site.api, registration, email: ada }
  return { handle: credential.handle, registration, next, input }
}

test('a call that finds a registration which ends meanwhile is given it, and asks nobody to claim it', async () => {
  const inner = memoryStore({ clock: () => world.sandbox.clock.now() })
  let meanwhile: (() => Promise<unknown>) | undefined
  const get: typeof inner.get = async (ref) => {
    const first = ref.kind === 'registration' ? meanwhile : undefined
    if (first) meanwhile = undefined
    await first?.()
    return inner.get(ref)
  }
  const world = await at({ version: 'hosted' }, undefined, { store: { ...inner, get } })
  const input = { service: world.site.api }
  await approve(world, await world.session.register(input))
  const fault = world.sandbox.faults.add({ name: 'agent_token', hold: 'before', times: 1 })
  const running = world.session.register(input)
  await fault.whenHeld()
  meanwhile = () => {
    fault.release()
    return running
  }
  expectStatus(await world.session.register(input), 'ready')
  expectStatus(await running, 'ready')
})

/** Begins the claim with a person's agreement. */
async function claiming(world: At) {
  const held = await anonymous(world)
  const asked = expectStatus(await world.session.register(held.input), 'needs_consent')
  await approve(world, asked)
  const { need } = expectStatus(await world.session.register(held.input), 'needs_person')
  const { registration } = held
  const later = (ms: number) => {
    world.sandbox.clock.advance(ms)
    return world.session.claim({ registration })
  }
  return { ...held, action: asked.action, need, url: need.url ?? '', code: need.code ?? '', later }
}

function ready(outcome: Outcome, handle: string) {
  const { credential, next } = expectStatus(outcome, 'ready')
  expect(credential.handle).toBe(handle)
  expect(credential.state).toBe('active')
  expect(next).not.toContain('anonymous')
}

function live({ ledger, clock }: Sandbox, kind: string): number {
  const good = ledger.filter((one) => one.kind === kind && one.revokedAt === undefined)
  return good.filter(({ expiresAt = Infinity }) => expiresAt > clock.now()).length
}

const both = ['strict-spec', 'as-sample'] as const
const all = <V extends string>(...versions: readonly V[]) =>
  versions.flatMap((version) => both.map((profile) => ({ version, profile })))

describe.each(all('v0.4', 'v0.5', 'v0.6', 'v0.7'))('$version, $profile', (authMd) => {
  test('anonymous, claimed later by a typed code: the same handle, another token', async () => {
    const world = await at(authMd)
    const { handle, need, url, code, later, action, next } = await claiming(world)
    expect(next).toContain('has a person claim it')
    expect(action.effects).toEqual([
      { kind: 'present-identity', email: ada, emailFrom: 'model', to: new URL(url).host },
      {
        kind: 'create-credential',
        at: `${world.site.issuer}/agent/identity/claim`,
        audience: [world.site.api],
        credential: "a credential in that person's name, in the place of the anonymous one,",
        scopes: ['api.read', 'api.write'],
      },
    ])
    expect(need.kind).toBe('enter-code')
    expect(await reads(world)).toMatchObject(ok)
    await world.person.typeCode(url, code)
    ready(await later(5_000), handle)
    expect(await writes(world)).toMatchObject(written)
    expect(live(world.sandbox, 'access_token')).toBe(1)
    world.sandbox.clock.advance(55 * minute)
    expect(await reads(world)).toMatchObject(ok)
  })
})

describe.each(all('v0.1', 'draft-register', 'v0.2', 'v0.3'))('$version, $profile', (authMd) => {
  test('anonymous, claimed later by a mailed code: what is held may do more', async () => {
    const world = await at(authMd)
    const { handle, need, registration } = await claiming(world)
    expect(need).toMatchObject({ kind: 'read-code', email: ada })
    if (authMd.profile === 'strict-spec') {
      expect(await writes(world)).toMatchObject({
        code: 'permission_denied',
        next: expect.stringContaining('has a person claim it'),
      })
    }
    const code = await world.person.readCode(await world.sandbox.mail.waitFor(ada))
    ready(await handOver(world, registration, code), handle)
    expect(await writes(world)).toMatchObject(written)
    expect(live(world.sandbox, authMd.version === 'v0.1' ? 'api_key' : 'access_token')).toBe(1)
  })

  test('a mailed link that is over gives way to another mail', async () => {
    const world = await at(authMd)
    const { handle, registration } = await claiming(world)
    const first = await world.sandbox.mail.waitFor(ada)
    const old = await world.person.readCode(first)
    world.sandbox.clock.advance(11 * minute)
    const { notice } = expectStatus(await handOver(world, registration, old), 'needs_person')
    expect(notice).toContain('over')
    expect(sent(world, 'agent_claim')).toBe(2)
    const mails = world.sandbox.mail.list(ada)
    expect(mails).toHaveLength(2)
    const newest = mails.find(({ id }) => id !== first.id)
    if (newest === undefined) throw new Error('no other mail')
    const code = await world.person.readCode(newest)
    ready(await handOver(world, registration, code), handle)
  })
})

const readBack = [...all('readback'), { version: 'hosted', profile: 'strict-spec' }] as const
describe.each(readBack)('$version, $profile', (authMd) => {
  test('anonymous, claimed later by a code that is read back: the same handle, another token', async () => {
    const world = await at(authMd)
    const { handle, need, url, registration } = await claiming(world)
    expect(need.kind).toBe('read-code')
    const code = await world.person.readCode(url)
    ready(await handOver(world, registration, code), handle)
    expect(await writes(world)).toMatchObject(written)
    // Now there is a refresh token, and it outlives the assertion.
    world.sandbox.clock.advance(5 * 60 * minute)
    expect(await reads(world)).toMatchObject(ok)
  })
})

test.each(['capgo', 'stella', 'two-endpoints', 'agent-artifacts', 'vidjutsu'] as const)(
  '%s: anonymous, claimed later',
  async (version) => {
    const world = await at({ version })
    const { handle, need, url, code, later, registration } = await claiming(world)
    if (need.kind === 'enter-code') {
      await world.person.typeCode(url, code)
      ready(await later(5_000), handle)
    } else {
      const mailed = await world.person.readCode(await world.sandbox.mail.waitFor(ada))
      ready(await handOver(world, registration, mailed), handle)
    }
    expect(await writes(world)).toMatchObject(written)
  },
)

describe('a claim', () => {
  test('asks a person for the address where nobody has named one', async () => {
    const world = await at({ version: 'v0.7' })
    const { registration } = await anonymous(world)
    const input = { service: world.site.api, registration }
    const { need } = expectStatus(await world.session.register(input), 'needs_person')
    expect(need.kind).toBe('give-email')
    expect(sent(world, 'agent_claim')).toBe(0)
    const by = { approver: 'ada' }
    const asked = (await world.auth.people.answer(registration, { email: ada }, by)) as Outcome
    expect(expectStatus(asked, 'needs_consent').action.summary).toContain(
      `${ada} (given by a person)`,
    )
    await approve(world, asked)
    expectStatus(await world.session.claim({ registration }), 'needs_person')
    expect(sent(world, 'agent_claim')).toBe(1)
  })

  test('that a person has denied tells nobody the address', async () => {
    const world = await at({ version: 'v0.7' })
    const { input } = await anonymous(world)
    const { consent } = expectStatus(await world.session.register(input), 'needs_consent')
    const { registration } = input
    expectStatus(await world.session.claim({ registration }), 'ready')
    await world.auth.people.answer(consent, { approve: false }, { approver: 'kim' })
    expect(await world.session.register(input)).toMatchObject({ code: 'consent_denied' })
    expect(sent(world, 'agent_claim')).toBe(0)
    expect(await reads(world)).toMatchObject(ok)
  })

  test('of an address that the service does not take asks for another', async () => {
    const world = await at({ version: 'v0.7' })
    const { input, registration } = await anonymous(world)
    world.sandbox.faults.add(authMdFault('invalid_login_hint', 'agent_claim'))
    await approve(world, await world.session.register(input))
    const { need, notice } = expectStatus(await world.session.register(input), 'needs_person')
    expect(need.kind).toBe('give-email')
    expect(notice).toContain(ada)
    const other = { service: world.site.api, registration, email: 'bob@agents.test' }
    await approve(world, await world.session.register(other))
    expectStatus(await world.session.register(other), 'needs_person')
  })

  test('that nobody confirms leaves what was held, and can be begun again inside the window', async () => {
    const world = await at({ version: 'v0.1' })
    const { input } = await anonymous(world)
    await approve(world, await world.session.register(input))
    const { registration = '' } = await world.session.register(input)
    expect(await world.session.cancel(registration)).toMatchObject({ status: 'ready' })
    expect(await reads(world)).toMatchObject(ok)
    await approve(world, await world.session.register(input))
    expectStatus(await world.session.register(input), 'needs_person')
  })

  test('whose codes are over one after the other ends, and another may begin', async () => {
    const world = await at({ version: 'v0.7' })
    const { handle, input, later } = await claiming(world)
    for (let times = 0; times < 5; times++) expectStatus(await later(10 * minute), 'needs_person')
    expect(await later(10 * minute)).toMatchObject({
      status: 'refused',
      code: 'expired',
      reason: expect.stringContaining(handle),
      next: expect.stringContaining('has a person claim it'),
    })
    const { registrations } = expectStatus(await world.session.discover(), 'found')
    expect(registrations).toEqual([])
    await approve(world, await world.session.register(input))
    const { need } = expectStatus(await world.session.register(input), 'needs_person')
    await world.person.typeCode(need.url ?? '', need.code ?? '')
    ready(await later(5_000), handle)
  })

  test('is not begun when its window is over', async () => {
    const world = await at({ version: 'v0.1' })
    const { input } = await anonymous(world)
    world.sandbox.clock.advance(24 * 60 * minute)
    expect(await world.session.register(input)).toMatchObject({
      status: 'refused',
      code: 'expired',
    })
    const found = expectStatus(await world.session.discover({ service: world.site.api }), 'ready')
    expect(found.next).not.toContain('anonymous')
    expect(sent(world, 'agent_claim')).toBe(0)
  })

  test('that the service has ended is not begun again', async () => {
    const world = await at({ version: 'v0.1' })
    const { input } = await anonymous(world)
    world.sandbox.faults.add(authMdFault('claim_expired', 'agent_claim'))
    await approve(world, await world.session.register(input))
    const ended = await world.session.register(input)
    expect(ended).toMatchObject({ status: 'refused', code: 'expired' })
    expect(ended.next).not.toContain('claim it')
    expect(await reads(world)).toMatchObject(ok)
  })

  test('revives what has run out: the registration outlives its first assertion', async () => {
    const world = await at({ version: 'v0.7' })
    const { handle, input, registration } = await anonymous(world)
    world.sandbox.clock.advance(3 * 60 * minute)
    expect(await reads(world)).toMatchObject({
      code: 'credential_invalid',
      next: expect.stringContaining('has a person claim it'),
    })
    await approve(world, await world.session.register(input))
    const { need } = expectStatus(await world.session.register(input), 'needs_person')
    await world.person.typeCode(need.url ?? '', need.code ?? '')
    world.sandbox.clock.advance(5_000)
    ready(await world.session.claim({ registration }), handle)
    expect(await reads(world)).toMatchObject(ok)
  })

  test('has its token kept like a secret, until the credential is given up', async () => {
    const world = await at({ version: 'v0.7' })
    const { handle } = await anonymous(world)
    const token = world.sandbox.ledger.find(({ kind }) => kind === 'claim_token')?.value ?? ''
    const found = async () => (await world.session.redactor()).redact(`x ${token} x`).found
    expect(await found()).toBe(1)
    await approve(world, await world.session.revoke({ credential: handle }))
    await world.session.revoke({ credential: handle })
    expect(await found()).toBe(0)
  })

  test('of what was given up comes to nothing', async () => {
    const world = await at({ version: 'v0.7' })
    const { handle, later, input } = await claiming(world)
    await approve(world, await world.session.revoke({ credential: handle }))
    expect(await world.session.revoke({ credential: handle })).toMatchObject({ verdict: 'revoked' })
    const before = world.sandbox.log.length
    expect(await later(5_000)).toMatchObject({ status: 'ended', verdict: 'cancelled' })
    expect(world.sandbox.log).toHaveLength(before)
    expect(await world.session.register(input)).toMatchObject({ status: 'ended' })
  })

  test('that the service could not be reached for leaves all as it was', async () => {
    const world = await at({ version: 'v0.7' })
    const { input } = await anonymous(world)
    await approve(world, await world.session.register(input))
    world.sandbox.faults.add({ name: 'agent_claim', cut: 'before', times: 2 })
    expect(await world.session.register(input)).toMatchObject({ code: 'service_unreachable' })
    expect(await reads(world)).toMatchObject(ok)
    expectStatus(await world.session.register(input), 'needs_person')
  })

  test('that was done at the service before is no failure where the credential was widened', async () => {
    const world = await at({ version: 'v0.1' })
    const { handle, registration } = await claiming(world)
    const code = await world.person.readCode(await world.sandbox.mail.waitFor(ada))
    world.sandbox.faults.add({ name: 'agent_claim_complete', cut: 'after', times: 1 })
    ready(await handOver(world, registration, code), handle)
    expect(await writes(world)).toMatchObject(written)
  })
})

const lost = expect.stringMatching(
  /^what the claim of the registration \S+ gave, which nobody holds$/,
)

describe('a claim that the service has done, and whose answers were lost', () => {
  test('by a code that was read back: what it gave is listed, and it is not begun again', async () => {
    const world = await at({ version: 'readback' })
    const { registration, url, input } = await claiming(world)
    const code = await world.person.readCode(url)
    world.sandbox.faults.add({ name: 'agent_claim_complete', cut: 'after', times: 2 })
    expect(await handOver(world, registration, code)).toMatchObject({ code: 'service_unreachable' })
    const { reason } = expectStatus(await handOver(world, registration, code), 'refused')
    expect(reason).toContain('did not reach us')
    expect(await orphansOf(world, registration)).toEqual([lost])
    expect(expectStatus(await world.session.register(input), 'refused').next).not.toContain(
      'has a person claim it',
    )
  })

  test('by a code that was typed: the same', async () => {
    const world = await at({ version: 'v0.7' })
    const { registration, url, code, later } = await claiming(world)
    await world.person.typeCode(url, code)
    world.sandbox.faults.add({ name: 'agent_token', cut: 'after', times: 1 })
    expect(expectStatus(await later(5_000), 'refused').reason).toContain('An answer was lost')
    expect(await orphansOf(world, registration)).toEqual([lost])
  })
})

describe('a process that is killed', () => {
  /** Another process over the same store, once the lease of the one that was killed is over. */
  const restarted = (world: At, store: ReturnType<typeof memoryStore>) => {
    world.sandbox.clock.advance(minute + 1_000)
    return createAgentAuth({
      store,
      [allowLoopback]: true,
      clock: () => world.sandbox.clock.now(),
      identity: () => ({}),
    })
  }
  const opened = async (version: 'v0.1' | 'v0.7' | 'readback') => {
    const store = memoryStore({ clock: () => clock() })
    const world = await at({ version }, undefined, { store })
    const clock = () => world.sandbox.clock.now()
    return { world, store }
  }

  test.each(['before', 'after'] as const)(
    'at the beginning of a claim, %s the service has done it: it goes on without another question',
    async (hold) => {
      const { world, store } = await opened('v0.7')
      const { handle, input, registration } = await anonymous(world)
      await approve(world, await world.session.register(input))
      const fault = world.sandbox.faults.add({ name: 'agent_claim', hold, cut: hold, times: 1 })
      const killed = world.session.register(input).catch(() => undefined)
      await fault.whenHeld()
      const next = restarted(world, store)
      expect(await next.tick()).toEqual({ advanced: 1, failed: [] })
      const session = next.as(owner)
      const { need } = expectStatus(await session.claim({ registration }), 'needs_person')
      await world.person.typeCode(need.url ?? '', need.code ?? '')
      world.sandbox.clock.advance(5_000)
      ready(await session.claim({ registration }), handle)
      fault.release()
      await killed
      expect(await reads(world)).toMatchObject(ok)
    },
  )

  test('between the new token and the note of it: it is there, and nothing is said to have failed', async () => {
    const store = memoryStore({ clock: () => world.sandbox.clock.now() })
    let killed = false
    const put: typeof store.put = async (record, expected) => {
      const { status, state } = JSON.parse(record.value)
      if (killed || record.kind !== 'registration' || status !== 'ready' || !state.claiming) {
        return store.put(record, expected)
      }
      killed = true
      throw new Error('killed')
    }
    const world = await at({ version: 'v0.7' }, undefined, { store: { ...store, put } })
    const { handle, url, code, later } = await claiming(world)
    await world.person.typeCode(url, code)
    await expect(later(5_000)).rejects.toMatchObject({ message: 'killed' })
    ready(await later(minute), handle)
    expect(await writes(world)).toMatchObject(written)
  })

  test('when the claim was paid out: it is not said to be there, and what is held is what counts', async () => {
    const { world, store } = await opened('v0.7')
    const { registration, url, code } = await claiming(world)
    await world.person.typeCode(url, code)
    world.sandbox.clock.advance(5_000)
    const fault = world.sandbox.faults.add({
      name: 'agent_token',
      hold: 'after',
      cut: 'after',
      times: 1,
    })
    const killed = world.session.claim({ registration }).catch(() => undefined)
    await fault.whenHeld()
    const next = restarted(world, store)
    await next.tick()
    const session = next.as(owner)
    const outcome = expectStatus(await session.claim({ registration }), 'refused')
    expect(outcome).toMatchObject({ code: 'expired' })
    expect(outcome.reason).toContain('An answer was lost')
    expect(await orphansOf(world, registration)).toEqual([lost])
    fault.release()
    await killed
  })
})
