import type { PersonNeed, PersonRequest } from '@authmd/core'
import { type AuthMdVersion, personAt } from '@authmd/sandbox'
import { expect, test } from 'vitest'
import type { Chat, Driver } from './driver.ts'
import { inWorld, owner, secretsIn, type World } from './world.ts'

const ada = 'ada@agents.test'
const minute = 60_000
/** What a person is meant to see. */
const shown = ['user_code', 'claim_attempt_token']

interface Row {
  readonly version: AuthMdVersion
  readonly type:
    | 'anonymous'
    | 'anonymous, then claimed'
    | 'verified_email'
    | 'service_auth'
    | 'identity_assertion'
  readonly ceremony: 'none' | 'mailed link' | 'mailed code' | 'typed code' | 'code read back'
  /** How what it gave is renewed. */
  readonly renewal?: 'exchange' | 'refresh token'
}

/** The versions by how a person confirms and what renews a token. */
const families = [
  { ceremony: 'mailed link', email: 'verified_email', versions: ['v0.1', 'vidjutsu'] },
  {
    ceremony: 'mailed link',
    email: 'verified_email',
    renewal: 'exchange',
    versions: ['draft-register', 'v0.2', 'v0.3'],
  },
  {
    ceremony: 'typed code',
    email: 'verified_email',
    renewal: 'exchange',
    versions: ['v0.4', 'v0.5'],
  },
  {
    ceremony: 'typed code',
    email: 'service_auth',
    renewal: 'exchange',
    versions: ['v0.6', 'v0.7', 'agent-artifacts', 'capgo', 'two-endpoints', 'axiom'],
  },
  { ceremony: 'typed code', email: 'service_auth', versions: ['stella'] },
  {
    ceremony: 'code read back',
    email: 'service_auth',
    renewal: 'refresh token',
    versions: ['readback', 'hosted'],
  },
] as const

/** Those that take an identity provider's word, */
const vouching = [
  ...(['v0.1', 'draft-register', 'v0.2', 'v0.3', 'v0.4', 'v0.5', 'v0.6', 'v0.7'] as const),
  'readback',
] as const
/** and those that ask a person who has an account there already. */
const stepUps = {
  'draft-register': 'mailed link',
  'v0.5': 'typed code',
  'v0.6': 'typed code',
  'v0.7': 'typed code',
  readback: 'code read back',
} as const

const rows: readonly Row[] = [
  ...families.flatMap(({ ceremony, email, versions, ...more }) =>
    versions.flatMap((version): Row[] => [
      { version, type: 'anonymous', ceremony: 'none', ...anonymousRenewal(version) },
      { version, type: 'anonymous, then claimed', ceremony, ...more },
      { version, type: email, ceremony, ...more },
    ]),
  ),
  { version: 'just-html', type: 'service_auth', ceremony: 'mailed code' },
  ...vouching.map((version): Row => {
    return { version, type: 'identity_assertion', ceremony: 'none', ...anonymousRenewal(version) }
  }),
  ...Object.entries(stepUps).map(([version, ceremony]): Row => {
    return { version: version as AuthMdVersion, type: 'identity_assertion', ceremony }
  }),
]

function anonymousRenewal(version: AuthMdVersion): Pick<Row, 'renewal'> {
  return version === 'v0.1' || version === 'vidjutsu' ? {} : { renewal: 'exchange' }
}

/** Who walks which of seven rows: each row once, and most of them where that takes least. */
const shares: Readonly<Record<Driver['framework'], readonly number[]>> = {
  'ai-sdk': [0, 2, 4, 6],
  langchain: [1, 5],
  mastra: [3],
}

/**
 * Registers the tests of this adapter's share of all versions, identity types and ceremonies of auth.md,
 * named so that a table can be made of the reports.
 */
export function authMdCases(driver: Driver): void {
  const own = rows.filter((_, at) => shares[driver.framework].includes(at % 7))
  test.each(own)('auth.md: $version | $type | $ceremony', (row) => walk(driver, row))
}

/** From nothing to an authorised call, and to one after the token's time. */
async function walk(driver: Driver, row: Row): Promise<void> {
  const { version, type, ceremony, renewal } = row
  const requests: PersonRequest[] = []
  const options = {
    authMd: { version },
    identity: type === 'service_auth' || type === 'verified_email' ? { email: ada } : {},
    ...(type === 'identity_assertion' ? { vouchedFor: ada } : {}),
    onPersonNeeded: (request: PersonRequest) => void requests.push(request),
  }
  await inWorld(async (world) => {
    const { service, sandbox } = world
    const stepUp = type === 'identity_assertion' && ceremony !== 'none'
    if (stepUp) await personAt(sandbox.authMd[0], ada).signIn()
    const chat = await driver.open(world, { mode: 'generate', owner })
    const register = { tool: 'auth_register', input: { service } }
    // Whom a provider vouches for is known, and asked about, after the first call.
    const calls = type === 'identity_assertion' ? [register, register] : [register]
    const asked = await chat.say([{ tool: 'auth_discover', input: { service } }, ...calls])
    expect(asked.asked).toHaveLength(1)
    let said = await chat.answer(true)
    if (type === 'anonymous, then claimed') {
      expect(await reads(world, chat)).not.toContain(ada)
      const registration = /reg_[\w-]+/.exec(said.told.at(-1) ?? '')?.[0]
      const input = { service, registration, email: ada }
      const claim = await chat.say([{ tool: 'auth_register', input }])
      expect(claim.asked.join()).toContain(ada)
      said = await chat.answer(true)
    }
    if (ceremony !== 'none') await confirmed(world, chat, needIn(requests))
    else expect(said.told.at(-1)).toMatch(/^ready/)
    const read = await reads(world, chat)
    expect(read.includes(ada)).toBe(type !== 'anonymous')
    if (renewal) {
      sandbox.clock.advance(renewal === 'exchange' ? 59 * minute + 45_000 : 180 * minute)
      await reads(world, chat)
    }
    const held = await chat.held()
    expect(secretsIn(world, held).filter((kind) => !shown.includes(kind))).toEqual([])
  }, options)
}

/** What is asked of a person now, and by which registration. */
function needIn(requests: readonly PersonRequest[]): { id: string; need: PersonNeed } {
  const found = requests.findLast(({ kind }) => kind === 'need')
  if (found?.kind !== 'need' || found.id === undefined) throw new Error('nobody was needed')
  return { id: found.id, need: found.need }
}

/** The person does their part, outside the chat where a code is handed over; then the agent looks again. */
async function confirmed(
  world: World,
  chat: Chat,
  { id, need }: { id: string; need: PersonNeed },
): Promise<void> {
  const { sandbox, auth } = world
  const person = personAt(sandbox.authMd[0], ada)
  if (need.kind === 'enter-code') {
    await person.typeCode(need.url ?? '', need.code ?? '')
    sandbox.clock.advance(5_000)
  } else {
    const mail = need.url ? undefined : await sandbox.mail.waitFor(ada)
    const mailed = /^\D*(\d{6})\D*$/.exec(mail?.text ?? '')?.[1]
    const code = mailed ?? (await person.readCode(mail ?? need.url ?? ''))
    await auth.people.answer(id, { code }, { approver: 'ada' })
  }
  const { told } = await chat.say([{ tool: 'auth_claim', input: { registration: id } }])
  expect(told.at(-1)).toMatch(/^ready/)
}

async function reads({ service }: World, chat: Chat): Promise<string> {
  const { told } = await chat.say([{ tool: 'auth_use', input: { service, path: '/api/resource' } }])
  const text = told.at(-1) ?? ''
  expect(text).toMatch(/^answered/)
  return text
}
