import { type Fault, signInLink } from '@authmd/sandbox'
import { afterEach, expect, test } from 'vitest'
import type { AgentAuthOptions } from '../src/agent-auth.ts'
import type { Outcome } from '../src/outcome.ts'
import { authTools } from '../src/tools/tools.ts'
import { closeWorlds, email, keysOf, openWorld, solve, type World } from './world.ts'

afterEach(closeWorlds)

const byPerson = { identity: () => ({ email }) }

interface Call {
  readonly tool: string
  readonly input: Readonly<Record<string, string>>
}

/** The call that `next` names, as a program reads it: a tool and its input in braces. */
function callIn(next: string): Call | undefined {
  const [, tool, inside] = /^(auth_\w+) \{ (.*?) \}/.exec(next) ?? []
  if (tool === undefined || inside === undefined) return undefined
  const pairs = [...inside.matchAll(/(\w+): "([^"]*)"/g)]
  return { tool, input: Object.fromEntries(pairs.map(([, name, value]) => [name, value])) }
}

/** Knows nothing of the flow: it does what `next` says, as the person and the model beside it. */
async function drive(world: World): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  let last: Call = { tool: 'auth_discover', input: { service: world.sandbox.urls.api } }
  for (let steps = 0; steps < 60; steps++) {
    const tool = authTools.find(({ name }) => name === last.tool)
    if (tool === undefined) throw new Error(`${last.tool} is no tool`)
    const call = { channel: 'driver', callId: `call-${steps}`, thread: 't' }
    const { outcome, text } = await tool.run(world.session, last.input, call)
    if (outcome === undefined) throw new Error(`${JSON.stringify(last)}: ${text}`)
    outcomes.push(outcome)
    if (outcome.status === 'answered') return outcomes
    await beside(world, outcome)
    if (outcome.next.startsWith('the same call again')) continue
    const named = callIn(outcome.next)
    if (named === undefined) throw new Error(`${outcome.next} names no call`)
    last = filled(world, named, outcome)
  }
  throw new Error(`no end: ${outcomes.map(({ status, next }) => `${status}: ${next}`).join('\n')}`)
}

function filled({ sandbox }: World, { tool, input }: Call, outcome: Outcome): Call {
  const own = {
    ...(input.answer === '…' && outcome.status === 'needs_answer'
      ? { answer: solve(sandbox, outcome.problem) }
      : {}),
    ...(input.path === '…' ? { path: '/v2/available_phone_numbers' } : {}),
  }
  return { tool, input: { ...input, ...own } }
}

/** What people and time do meanwhile. */
async function beside({ auth, sandbox }: World, outcome: Outcome): Promise<void> {
  const by = { approver: 'kim' }
  const { registration = '' } = outcome
  const until = 'notBefore' in outcome ? (outcome.notBefore ?? 0) - sandbox.clock.now() : 0
  sandbox.clock.advance(Math.max(outcome.status === 'uncertain' ? 61_000 : 0, until))
  if (outcome.status === 'needs_consent') {
    await auth.people.answer(outcome.consent, { approve: true }, by)
  }
  const need = 'need' in outcome ? outcome.need : undefined
  if (need?.kind === 'give-email') await auth.people.answer(registration, { email }, by)
  const mail = sandbox.mail.list(email).at(-1)
  if (need?.kind === 'open-mail' && mail) {
    await auth.people.answer(registration, { link: signInLink(mail) }, by)
  }
}

const scenarios: readonly {
  name: string
  options?: Partial<AgentAuthOptions>
  fault?: Fault
  keys?: number
  statuses?: readonly string[]
}[] = [
  {
    name: 'with a mailbox',
    statuses: ['found', 'needs_answer', 'needs_consent', 'pending', 'ready', 'answered'],
  },
  { name: 'with a person who reads the mail', options: byPerson },
  { name: 'with nobody named', options: { identity: () => undefined } },
  { name: 'puzzles limited', fault: { name: 'bot_challenge', status: 429 } },
  { name: 'puzzles failing', fault: { name: 'bot_challenge', status: 503 } },
  { name: 'puzzles not understood', fault: { name: 'bot_challenge', bodyReplace: 'html' } },
  { name: 'puzzles cut', fault: { name: 'bot_challenge', cut: 'before', times: 2 } },
  { name: 'signups limited', fault: { name: 'bot_signup', status: 429 } },
  { name: 'a signup refused', fault: { name: 'bot_signup', status: 422 } },
  { name: 'a signup cut after', fault: { name: 'bot_signup', cut: 'after' } },
  { name: 'a signup cut before', fault: { name: 'bot_signup', cut: 'before' } },
  {
    name: 'a signup cut after, by a person',
    options: byPerson,
    fault: { name: 'bot_signup', cut: 'after' },
  },
  { name: 'a link cut', fault: { name: 'bot_sessions', cut: 'after' } },
  { name: 'keys limited', fault: { name: 'api_keys', status: 429 } },
  { name: 'a key refused as unauthorised', fault: { name: 'api_keys', status: 401 } },
  { name: 'a key cut after', fault: { name: 'api_keys', cut: 'after' }, keys: 2 },
  { name: 'a key refused for good', fault: { name: 'api_keys', status: 403 } },
]

test.each(scenarios)('doing what `next` says leads to the service: $name', async (scenario) => {
  const { options, fault, keys = 1, statuses } = scenario
  const world = await openWorld(options)
  if (fault) world.sandbox.faults.add({ times: 1, ...fault })
  const outcomes = await drive(world)
  expect(outcomes.at(-1)).toMatchObject({ status: 'answered', answer: { status: 200 } })
  if (statuses) {
    const seen = outcomes.map(({ status }) => status)
    expect(seen.filter((status, at) => status !== seen[at - 1])).toEqual(statuses)
  }
  expect(keysOf(world)).toHaveLength(keys)
  expect(world.sandbox.faults.list().every(({ hits }) => hits > 0)).toBe(true)
})
