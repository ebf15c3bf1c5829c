import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import {
  type AgentAuth,
  allowLoopback,
  createAgentAuth,
  type Mailbox,
  type MountOptions,
  type Owner,
} from '@authmd/core'
import { fileStore, keyFromEnv } from '@authmd/core/node'
import { longestChain, type Sandbox, startSandbox } from '@authmd/sandbox'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { personAt } from './person.ts'
import type { Screen } from './screen.ts'
import { type Move, phoneNumberScript, requests, type Seen } from './script.ts'
import { Sinks } from './sinks.ts'

/** What one run showed; all of it is read off logs, none of it is assumed. */
export interface Evidence {
  /** By the service's own log: a key was made, used for the search, and refused after it was revoked. */
  readonly ok: boolean
  readonly toolCalls: number
  readonly approvals: number
  /** Calls of the service's own tools, and how many of them a person was asked about. */
  readonly mounted: { readonly calls: number; readonly approvals: number }
  /** The longest chain of dependent requests of discovery. */
  readonly roundTrips: number
  /** Input tokens, summed over the model's calls; of the scripted one in o200k. */
  readonly contextTokens: number
  readonly secretSeen: boolean
  readonly secretsIssued: number
  readonly sinksSearched: number
  readonly bytesSearched: number
  readonly controlFound: boolean
}

/** What a framework's part of the demo is given, and what it tells of its run. */
export interface Stage {
  readonly auth: AgentAuth
  readonly owner: Owner
  /** A folder that is searched for secrets at the end. */
  readonly dir: string
  /** The scripted model's next move. */
  decide(seen: Seen): Move
  /** Something left the framework: a chunk, a result, a checkpoint. */
  left(sink: string, value: unknown): void
  /** What a model was given for one call; counted as tokens where the model does not say how many. */
  prompted(prompt: unknown, tokens?: number): void
  calls(tool: string, input: unknown): void
  reads(text: string): void
  says(text: string): void
  /** The framework itself waits for what a person does elsewhere. */
  waits(text: string, url: string | undefined): void
  /** Puts the question about a call of this tool to the person. */
  agrees(tool: string, summary: string): Promise<boolean>
}

export interface Framework {
  readonly name: string
  readonly title: string
  open(stage: Stage): Promise<Conversation>
}

/** An agent in one framework. */
interface Conversation {
  /** Runs until the model has nothing more to do, approvals included. */
  say(text: string): Promise<void>
  /** Adds the service's own MCP tools. */
  mount(service: string, options: MountOptions): Promise<void>
}

const owner = { tenant: 'demo', user: 'kim' }
const email = 'agents@operator.test'

/** The whole story in one framework, against a sandbox of its own. */
export async function tell(
  framework: Framework,
  screen: Screen,
  unattended: boolean,
): Promise<Evidence> {
  await using sandbox = await startSandbox()
  // Every answer takes as long as one over a network: requests of one wave can then be told from a chain.
  const slow = sandbox.faults.add({ name: '*', delay: 150 })
  const dir = await mkdtemp(join(tmpdir(), 'authmd-demo-'))
  const masterKey = randomBytes(32).toString('hex')
  process.env.AUTHMD_DEMO_KEY = masterKey
  const sinks = new Sinks()
  // Goes wherever a secret could go, to show that it would be found there.
  const control = `control-${randomBytes(12).toString('hex')}`
  const counts = { toolCalls: 0, approvals: 0, roundTrips: 0, contextTokens: 0 }
  const mounted = { calls: 0, approvals: 0 }
  try {
    const auth = createAgentAuth({
      store: fileStore({ dir: join(dir, 'store'), key: keyFromEnv('AUTHMD_DEMO_KEY') }),
      [allowLoopback]: true,
      identity: () => ({ mailbox: mailboxOf(sandbox) }),
      onEvent: (event) => sinks.add('events', event),
    })
    const person = personAt(sandbox, email, unattended)
    screen.line(`\n${framework.title}.`, 'bold')
    screen.line(
      `The service is a sandbox of Telnyx at ${sandbox.urls.api}; the person ${person.how}.`,
    )
    const solve = (problem: string) => sandbox.answerTo(problem) ?? ''
    let page: string | undefined
    const conversation = await framework.open({
      auth,
      owner,
      dir,
      decide: phoneNumberScript(sandbox.urls.api, solve),
      left: (sink, value) => sinks.add(sink, value),
      prompted: (prompt, tokens = countTokens(JSON.stringify(prompt))) => {
        sinks.add('prompts', prompt)
        counts.contextTokens += tokens
      },
      calls: (tool, input) => {
        if (tool.startsWith('auth_')) counts.toolCalls++
        else mounted.calls++
        screen.toolCall(tool, input)
      },
      reads: (text) => {
        if (counts.roundTrips === 0) {
          const asked = sandbox.log.filter((one) => one.name !== 'unknown_host')
          counts.roundTrips = longestChain(asked)
          slow.remove()
        }
        page = /^Page: (\S+)/m.exec(text)?.[1]
        screen.modelReads(text)
      },
      says: (text) => screen.said('model', text),
      waits: (text, url) => {
        page = url
        screen.said('agent', `${text} ${url ?? ''}`)
      },
      agrees: async (tool, summary) => {
        if (tool.startsWith('auth_')) counts.approvals++
        else mounted.approvals++
        screen.asks(summary)
        const approved = await person.approves()
        screen.decided(approved)
        return approved
      },
    })
    const say = async (text: string) => {
      screen.said('person', text)
      await conversation.say(text).catch((error: unknown) => {
        sinks.add('errors', inspect(error))
        screen.line(`error: ${error instanceof Error ? error.message : String(error)}`, 'red')
      })
    }
    const service = sandbox.urls.api
    await say(`${requests.find}, ticket ${control}. Its API is at ${service}.`)
    await conversation.mount(service, { allow: ['get_balance'] })
    await say(requests.order)
    await say(requests.giveBack)
    if (page !== undefined) {
      await person.deletesKeys(page)
      await say(requests.deleted)
    }

    sinks.add('outcomes', [await auth.as(owner).discover(), control])
    sinks.add('events', control)
    sinks.add('errors', inspect(new Error(control)))
    sinks.add('output', screen.written())
    await writeFile(join(dir, 'control'), control)
    await sinks.addFiles('store files', dir)
    const issued = sandbox.ledger.map((entry) => entry.value)
    const keys = [masterKey, Buffer.from(masterKey, 'hex').toString('base64')]
    const { where, ...found } = sinks.search([...issued, ...keys], control)
    if (where.length > 0) screen.line(`A secret was found in: ${where.join(', ')}`)
    return { ok: happened(sandbox), ...counts, mounted, ...found, secretsIssued: issued.length }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/**
 * What the service's own log says: a key was made, it found numbers, its tools were called and one number
 * was ordered, and it was refused afterwards.
 */
function happened({ log, ledger }: Sandbox): boolean {
  const key = ledger.find((entry) => entry.kind === 'api_key')
  if (key?.revokedAt === undefined) return false
  const uses = log.filter((one) => one.name === 'available_phone_numbers')
  const mine = uses.filter((one) => one.authorization === key.id)
  const called = (name: string) => log.filter((one) => one.name === name && one.status === 200)
  const ordered = called('mcp_order_number').filter((one) => one.effect)
  if (called('mcp_get_balance').length !== 1 || ordered.length !== 1) return false
  return mine.some((one) => one.status === 200) && mine.at(-1)?.status === 401
}

function mailboxOf(sandbox: Sandbox): Mailbox {
  return {
    address: email,
    list: async ({ to, since }) => sandbox.mail.list(to).filter((one) => one.receivedAt >= since),
  }
}
