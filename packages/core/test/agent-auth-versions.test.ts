import { afterEach, describe, expect, test } from 'vitest'
import { ada, at, handOver, minute, ok, reads, registered, waiting } from './auth-md-world.ts'
import { closeWorlds, expectStatus, sent } from './world.ts'

afterEach(closeWorlds)

const profiles = ['strict-spec', 'as-sample'] as const
const both = <V extends string>(...versions: readonly V[]) =>
  versions.flatMap((version) => profiles.map((profile) => ({ version, profile })))

describe.each(both('v0.4', 'v0.5'))('$version, $profile', (authMd) => {
  test('verified_email: the person types the code', async () => {
    const world = await at(authMd, ada)
    const { need, url, code, later } = await waiting(world)
    expect(need.kind).toBe('enter-code')
    await world.person.typeCode(url, code)
    expectStatus(await later(5_000), 'ready')
    expect(await reads(world)).toMatchObject(ok)
  })

  test('another code for the same address', async () => {
    const world = await at(authMd, ada)
    const { later } = await waiting(world)
    const { need } = expectStatus(await later(10 * minute), 'needs_person')
    await world.person.typeCode(need.url ?? '', need.code ?? '')
    expectStatus(await later(5_000), 'ready')
  })
})

describe.each(both('v0.1', 'draft-register', 'v0.2', 'v0.3'))('$version, $profile', (authMd) => {
  test('anonymous is usable at once', async () => {
    const world = await at(authMd)
    const { credential } = expectStatus(await registered(world), 'ready')
    expect(credential.kind).toBe(authMd.version === 'v0.1' ? 'api_key' : 'access_token')
    expect(await reads(world)).toMatchObject(ok)
  })

  test('the code of a mailed link is read back', async () => {
    const world = await at(authMd, ada)
    const { need, registration, claim } = await waiting(world)
    expect(need).toMatchObject({ kind: 'read-code', email: ada })
    expect(need.url).toBeUndefined()
    expect(await handOver(world, registration, '123456')).toMatchObject({
      status: 'needs_person',
      notice: expect.any(String),
    })
    expectStatus(await claim(), 'needs_person')
    const code = await world.person.readCode(await world.sandbox.mail.waitFor(ada))
    expectStatus(await handOver(world, registration, code), 'ready')
    expect(await reads(world)).toMatchObject(ok)
    expect(sent(world, 'agent_claim')).toBe(0)
  })

  test('a code that is too old is asked for again', async () => {
    const world = await at(authMd, ada)
    const { registration, pass } = await waiting(world)
    const mail = await world.sandbox.mail.waitFor(ada)
    pass(5 * minute)
    const old = await world.person.readCode(mail)
    pass(4 * minute)
    const code = await world.person.readCode(mail)
    if (code !== old) expectStatus(await handOver(world, registration, old), 'needs_person')
    expectStatus(await handOver(world, registration, code), 'ready')
  })

  test('five wrong codes end it', async () => {
    const world = await at(authMd, ada)
    const { registration } = await waiting(world)
    const code = await world.person.readCode(await world.sandbox.mail.waitFor(ada))
    const wrong = code === '000000' ? '000001' : '000000'
    for (let times = 0; times < 4; times++) {
      expectStatus(await handOver(world, registration, wrong), 'needs_person')
    }
    expect(await handOver(world, registration, wrong)).toMatchObject({ status: 'refused' })
  })
})

test('a mailed code that nobody reads back ends with the window', async () => {
  const world = await at({ version: 'v0.3' }, ada)
  const { later } = await waiting(world)
  expect(await later(24 * 60 * minute)).toMatchObject({ status: 'refused', code: 'expired' })
})

describe.each(['agent-artifacts', 'capgo', 'stella', 'two-endpoints'] as const)('%s', (version) => {
  test('service_auth: the person types the code', async () => {
    const world = await at({ version }, ada)
    const { url, code, later } = await waiting(world)
    expectStatus(await later(5_000), 'needs_person')
    await world.person.typeCode(url, code)
    expectStatus(await later(5_000), 'ready')
    expect(await reads(world)).toMatchObject(ok)
  })
})

test('just-html: the code of a mail is read back, then the claim grant gives a key', async () => {
  const world = await at({ version: 'just-html' }, ada)
  const { need, registration } = await waiting(world)
  expect(need).toMatchObject({ kind: 'read-code', email: ada })
  const mail = await world.sandbox.mail.waitFor(ada)
  const code = /\b\d{6}\b/.exec(mail.text ?? '')?.[0] ?? ''
  expectStatus(await handOver(world, registration, code), 'ready')
  expect(await reads(world)).toMatchObject(ok)
})

test('vidjutsu: times in epoch milliseconds', async () => {
  const world = await at({ version: 'vidjutsu' }, ada)
  const { need } = await waiting(world)
  expect(need.until).toBeGreaterThan(world.sandbox.clock.now() + 23 * 60 * minute)
})
