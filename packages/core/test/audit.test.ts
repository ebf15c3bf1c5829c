import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canary } from '@authmd/canary'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { auditLines } from '../src/audit.ts'
import type { AuthEvent, AuthListener } from '../src/events.ts'
import { auditFile } from '../src/node/audit-file.ts'
import { at, reads } from './auth-md-world.ts'
import { approve, closeWorlds, email, expectStatus, openWorld, owner, signedUp } from './world.ts'

afterEach(closeWorlds)

type Line = Readonly<Record<string, unknown>>

/** A trail in memory, which is searched for secrets like everything that leaves us. */
function trail() {
  const lines: string[] = []
  const write = (line: string) => {
    canary.see('audit', line)
    lines.push(line)
  }
  const never = (line: string) => {
    throw new Error(`failed with ${line}`)
  }
  const records = () => lines.map((line) => JSON.parse(line) as Line)
  return { lines, records, onEvent: auditLines(write, never) }
}

const kim = { approver: 'kim@operator.test' }

test('who did what for whom by which consent, when, and what came of it', async () => {
  const { records, onEvent } = trail()
  const world = await at({}, undefined, { onEvent })
  const { auth, session, site, sandbox } = world
  const answer = async (consent: string, yes: boolean) =>
    auth.people.answer(consent, { approve: yes }, kim)
  const input = { service: site.api }
  const asked = expectStatus(await session.register(input), 'needs_consent')
  await answer(asked.consent, true)
  const { credential } = expectStatus(await session.register(input), 'ready')
  await reads(world)
  sandbox.clock.advance(59 * 60_000 + 45_000)
  await reads(world)
  const posts = {
    ...input,
    method: 'POST',
    path: '/api/resource?token=made-up',
    json: { a: 'b' },
  } as const
  const denied = expectStatus(await session.use(posts), 'needs_consent')
  await answer(denied.consent, false)
  await session.use(posts)
  const handle = { credential: credential.handle }
  const ending = expectStatus(await session.revoke(handle), 'needs_consent')
  await answer(ending.consent, true)
  await session.revoke(handle)
  await auth.admin.erase(owner)

  const all = records()
  for (const { time } of all) expect(new Date(String(time)).toISOString()).toBe(time)
  for (const { forWhom } of all) expect(forWhom).toEqual(owner)
  const about = (consent: string) => all.filter((one) => one.consent === consent)
  const who = kim.approver
  expect(about(asked.consent)).toMatchObject([
    { event: 'verb', what: { verb: 'register' }, outcome: { status: 'needs_consent' } },
    { event: 'decision', who, channel: 'people', outcome: { status: 'approved' } },
    {
      event: 'redeemed',
      who,
      channel: 'code',
      what: { verb: 'register', effects: asked.action.effects },
    },
    { event: 'settled', who, outcome: { status: 'ready' } },
  ])
  const events = all.map(({ event }) => event)
  expect(events.indexOf('redeemed')).toBeLessThan(events.indexOf('request'))
  expect(about(denied.consent)).toMatchObject([
    { event: 'verb', outcome: { status: 'needs_consent' } },
    { event: 'decision', who, outcome: { status: 'denied' } },
  ])
  expect(JSON.stringify(about(denied.consent))).toContain('bodyHash')
  const request = `GET ${site.api}/api/resource`
  expect(all.filter(({ event }) => event === 'request')).toMatchObject([
    { what: { ...handle, request }, outcome: { httpStatus: 200 } },
    { what: { ...handle, request }, outcome: { httpStatus: 200 } },
  ])
  expect(all.filter(({ event }) => event === 'refresh')).toMatchObject([
    { what: handle, outcome: { status: 'renewed' } },
  ])
  expect(all.filter(({ event }) => event === 'ended')).toMatchObject([
    { what: handle, outcome: { verdict: 'revoked' } },
  ])
  expect(all.at(-1)).toMatchObject({ event: 'erased', forWhom: owner })
  expect(all.filter(({ event }) => event === 'verb')).toContainEqual(
    expect.objectContaining({ outcome: { status: 'refused', code: 'consent_denied' } }),
  )
})

test("a policy's yes and its no are in it", async () => {
  const { records, onEvent } = trail()
  const policy = {
    rules: [
      { decide: 'allow', when: { effect: 'create-credential' }, because: 'we know them' },
      { decide: 'deny', when: { method: 'GET', path: '/api' } },
    ],
  } as const
  const world = await at({}, undefined, { onEvent, policy })
  expectStatus(await world.session.register({ service: world.site.api }), 'ready')
  await reads(world)
  const [decision] = records().filter(({ event }) => event === 'decision')
  expect(decision).toMatchObject({ who: 'policy: rule 0, we know them', channel: 'policy' })
  expect(records().at(-1)).toMatchObject({
    event: 'verb',
    who: 'policy',
    outcome: { status: 'refused', code: 'policy_denied' },
  })
})

test('a signup by mail, a key that is put in by hand, a tick and what a call throws', async () => {
  const { lines, records, onEvent } = trail()
  const world = await openWorld({ onEvent })
  await signedUp(world)
  world.sandbox.clock.advance(60_000)
  await world.auth.tick()
  await world.session.import({
    service: 'https://api.vendor.example',
    secret: 'made-up-imported-key-0001',
    audience: 'https://api.vendor.example/v1',
  })
  canary.watch('made-up-imported-key-0001')
  await expect(world.session.claim({ registration: 'reg_none' })).rejects.toThrow()
  // Whom it was for is what an audit is about.
  expect(lines.join('\n')).toContain(email)
  const all = records()
  expect(all).toContainEqual(expect.objectContaining({ event: 'verb', channel: 'tick' }))
  expect(all).toContainEqual(
    expect.objectContaining({
      event: 'imported',
      what: { service: 'https://api.vendor.example', credential: expect.stringMatching(/^cred_/) },
    }),
  )
  expect(all.at(-1)).toMatchObject({ outcome: { status: 'failed', code: 'not_found' } })
})

/** What ends a line for one reader or another, or cannot be seen. */
const hostile =
  'a\nb\r\nc\u0000\u001b[2Jd\u0085e\u2028f\u2029g\u202eh\u200bi\ufeffj\u{e0041}k"}\n{"event":"decision"'

test('whatever a service wrote stays within its one line, and in it as it was', async () => {
  const { lines, records, onEvent } = trail()
  const about = { type: 'changed', at: 0, owner, service: 'https://api.vendor.example' } as const
  onEvent({ ...about, changes: [hostile] })
  onEvent({ ...about, owner: { tenant: hostile }, changes: [] })
  const [line = ''] = lines
  expect(line).toMatch(/^[ -~]*$/)
  expect(records()).toMatchObject([
    { what: { changes: [hostile] } },
    { forWhom: { tenant: hostile } },
  ])
})

test('long texts and lists are cut', async () => {
  const { lines, onEvent } = trail()
  const changes = Array.from({ length: 100_000 }, () => 'x'.repeat(10_000))
  onEvent({ type: 'changed', at: 0, owner, service: 'https://api.vendor.example', changes })
  expect(lines[0]?.length).toBeLessThan(250_000)
  expect(lines[0]).toContain('… 99900 more')
})

const failing: readonly [string, () => unknown][] = [
  [
    'throws',
    () => {
      throw new Error('no space')
    },
  ],
  ['rejects', () => Promise.reject(new Error('no space'))],
]

test.each(failing)(
  'a writer that %s breaks no verb; the line is handed back, and others are told',
  async (_, write) => {
    const lost: string[] = []
    const heard: AuthEvent[] = []
    const audit = auditLines(write, (line, error) => lost.push(`${line} ${String(error)}`))
    const onEvent: AuthListener[] = [audit, (event) => heard.push(event)]
    const world = await at({}, undefined, { onEvent })
    const input = { service: world.site.api }
    await approve(world, await world.session.register(input))
    expectStatus(await world.session.register(input), 'ready')
    expect(await reads(world)).toMatchObject({ status: 'answered' })
    const told = heard.filter(({ type }) => type !== 'unheard')
    expect(lost).toHaveLength(told.length)
    expect(lost[0]).toMatch(/"event":"verb".*no space/)
    const unheard = heard.flatMap((one) => (one.type === 'unheard' ? [one.of] : []))
    expect(unheard).toEqual(told.map(({ type }) => type))
  },
)

test('listeners that throw, reject, or answer what is no promise change nothing, alone or together', async () => {
  const thenable = {
    // biome-ignore lint/suspicious/noThenProperty: what a hostile one looks like
    get then(): never {
      throw new Error('no')
    },
  }
  const onEvent: AuthListener[] = [...failing.map(([, listener]) => listener), () => thenable]
  const world = await at({}, undefined, { onEvent })
  const input = { service: world.site.api }
  await approve(world, await world.session.register(input))
  expectStatus(await world.session.register(input), 'ready')
})

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'authmd-audit-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

const event: AuthEvent = { type: 'erased', at: 0, owner, records: 1, damaged: 0 }
const linesOf = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)

test('a file is for its owner alone, and is there with its line before the verb goes on', async () => {
  const path = join(await folder(), 'audit.jsonl')
  const listener = auditFile({ path })
  expect(statSync(path).mode & 0o777).toBe(0o600)
  let before: number | undefined
  const onEvent: AuthListener[] = [
    listener,
    ({ type }) => {
      if (type === 'redeemed') before = linesOf(path).filter((one) => one.event === type).length
    },
  ]
  const world = await at({}, undefined, { onEvent })
  const input = { service: world.site.api }
  await approve(world, await world.session.register(input))
  await world.session.register(input)
  expect(before).toBe(1)
  expect(linesOf(path).at(-1)).toMatchObject({ event: 'verb', outcome: { status: 'ready' } })
})

test('a file that was moved away, removed or emptied goes on in the one that stands there', async () => {
  const dir = await folder()
  const path = join(dir, 'audit.jsonl')
  const listener = auditFile({ path })
  listener(event)
  renameSync(path, join(dir, 'audit.1'))
  listener(event)
  listener(event)
  expect(linesOf(join(dir, 'audit.1'))).toHaveLength(1)
  expect(linesOf(path)).toHaveLength(2)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  truncateSync(path)
  listener(event)
  expect(linesOf(path)).toHaveLength(1)
  rmSync(path)
  listener(event)
  expect(linesOf(path)).toHaveLength(1)
})

test('two that append to one file mix no lines, and neither touches what was there', async () => {
  const path = join(await folder(), 'audit.jsonl')
  const all = [auditFile({ path }), auditFile({ path })]
  for (let at = 0; at < 100; at++) for (const listener of all) listener(event)
  auditFile({ path })(event)
  expect(linesOf(path)).toHaveLength(201)
})

test('a line that was cut off is ended before the next', async () => {
  const path = join(await folder(), 'audit.jsonl')
  auditFile({ path })(event)
  appendFileSync(path, '{"time":"2026-01-31T00:0')
  auditFile({ path })(event)
  const lines = readFileSync(path, 'utf8').split('\n')
  expect(lines).toHaveLength(4)
  expect(JSON.parse(lines[2] ?? '')).toMatchObject({ event: 'erased' })
})

test('what cannot be written is handed back, warned of once, and the gap is in the file', async () => {
  const dir = await folder()
  const below = join(dir, 'log')
  mkdirSync(below)
  const path = join(below, 'audit.jsonl')
  const lost: string[] = []
  const told = auditFile({ path, failed: (line) => lost.push(line) })
  const warning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  onTestFinished(() => warning.mockRestore())
  const warns = auditFile({ path })
  rmSync(below, { recursive: true })
  for (const listener of [told, told, warns, warns]) {
    expect(() => listener(event)).toThrow(/ENOENT/)
  }
  expect(lost).toHaveLength(2)
  expect(warning.mock.calls).toEqual([
    [expect.stringMatching(/ENOENT.*audit\.jsonl/), { code: 'AUTHMD_AUDIT' }],
  ])
  expect(existsSync(path)).toBe(false)
  mkdirSync(below)
  told(event)
  told(event)
  expect(linesOf(path)).toMatchObject([
    { event: 'gap', what: { lost: 2 } },
    { event: 'erased' },
    { event: 'erased' },
  ])
})

test('a path that cannot be a file is refused at once', async () => {
  const dir = await folder()
  for (const path of [dir, join(dir, 'none', 'audit.jsonl'), '/dev/null']) {
    expect(() => auditFile({ path }), path).toThrow(
      expect.objectContaining({ code: 'store_failed' }),
    )
  }
})

test('a share says to whom, and what for', () => {
  const { records, onEvent } = trail()
  const to = { tenant: 'acme', user: 'lee' }
  const about = { at: 0, owner, credential: 'cred_1', to } as const
  const service = 'https://api.vendor.example'
  onEvent({ ...about, type: 'shared', service, verbs: ['use'] })
  onEvent({ ...about, type: 'unshared' })
  expect(records()).toMatchObject([
    {
      event: 'shared',
      what: { service, credential: 'cred_1', to, verbs: ['use'] },
      forWhom: owner,
    },
    { event: 'unshared', what: { credential: 'cred_1', to }, forWhom: owner },
  ])
})
