import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { agentAuth } from '@authmd/ai-sdk'
import { allowLoopback, createAgentAuth, type Mailbox } from '@authmd/core'
import { fileStore, keyFromEnv } from '@authmd/core/node'
import { longestChain, type Sandbox, startSandbox } from '@authmd/sandbox'
import { isStepCount, type LanguageModel, type ModelMessage, streamText } from 'ai'
import { personAt } from './person.ts'
import type { Screen } from './screen.ts'
import { phoneNumberScript, scriptedModel } from './scripted-model.ts'
import { Sinks } from './sinks.ts'

/** What one run showed; all of it is read off logs, none of it is assumed. */
export interface Evidence {
  /** By the service's own log: a key was made, used for the search, and refused after it was revoked. */
  readonly ok: boolean
  readonly toolCalls: number
  readonly approvals: number
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

const owner = { tenant: 'demo', user: 'kim' }
const email = 'agents@operator.test'
const task = 'Find me a phone number in Chicago at Telnyx; you have no account there'

/** The whole story in the Vercel AI SDK, against a sandbox of its own. */
export async function runAiSdk(
  screen: Screen,
  realModel: LanguageModel | undefined,
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
  const failed = (error: unknown) => {
    sinks.add('errors', inspect(error))
    return error instanceof Error ? error.message : String(error)
  }
  try {
    const auth = createAgentAuth({
      store: fileStore({ dir, key: keyFromEnv('AUTHMD_DEMO_KEY') }),
      [allowLoopback]: true,
      identity: () => ({ mailbox: mailboxOf(sandbox) }),
      onEvent: (event) => sinks.add('events', event),
    })
    const person = personAt(sandbox, email, unattended)
    screen.line(
      `The service is a sandbox of Telnyx at ${sandbox.urls.api}; the person ${person.how}.`,
    )
    const service = sandbox.urls.api
    const solve = (problem: string) => sandbox.answerTo(problem) ?? ''
    const scripted = scriptedModel(phoneNumberScript(service, solve))
    const authmd = agentAuth(auth, { owner, approver: 'kim' })
    const asks = `${task}, ticket ${control}. Its API is at ${service}.`
    let messages: ModelMessage[] = [{ role: 'user', content: asks }]
    let toolCalls = 0
    let approvals = 0
    let contextTokens = 0
    let roundTrips = 0
    screen.said('person', asks)

    for (let turn = 0; turn < 12; turn++) {
      const result = streamText({
        model: realModel ?? scripted,
        messages,
        tools: authmd.tools,
        toolApproval: authmd.toolApproval(),
        stopWhen: isStepCount(20),
        onError: ({ error }) => screen.line(`error: ${failed(error)}`, 'red'),
      })
      const asked: { approvalId: string; reason: string | undefined }[] = []
      for await (const part of result.fullStream) {
        sinks.add('stream chunks', part)
        if (part.type === 'tool-call') {
          toolCalls++
          screen.toolCall(part.toolName, part.input)
        }
        if (part.type === 'tool-result') {
          if (roundTrips === 0) {
            roundTrips = longestChain(sandbox.log.filter((one) => one.name !== 'unknown_host'))
            slow.remove()
          }
          screen.modelReads((part.output as { text: string }).text)
        }
        if (part.type === 'tool-approval-request') {
          asked.push({ approvalId: part.approvalId, reason: part.reason })
        }
      }
      const said = await result.text
      if (said !== '') screen.said('model', said)
      contextTokens += (await result.totalUsage).inputTokens ?? 0
      messages = [...messages, ...(await result.responseMessages)]
      if (asked.length > 0) {
        const content = []
        for (const { approvalId, reason } of asked) {
          approvals++
          screen.asks(reason ?? '')
          const approved = await person.approves()
          screen.decided(approved)
          content.push({ type: 'tool-approval-response' as const, approvalId, approved })
        }
        messages.push({ role: 'tool', content })
        continue
      }
      const page = /^Page: (\S+)/m.exec(lastResult(messages))?.[1]
      if (page === undefined) break
      await person.deletesKeys(page)
      screen.said('person', 'Done, the key is deleted.')
      messages.push({ role: 'user', content: 'Done, the key is deleted.' })
    }

    for (const { prompt, tools } of scripted.doStreamCalls) sinks.add('prompts', { prompt, tools })
    sinks.add('prompts', messages)
    sinks.add('outcomes', [await auth.as(owner).discover(), control])
    sinks.add('events', control)
    failed(new Error(control))
    sinks.add('output', screen.written())
    await writeFile(join(dir, 'control'), control)
    await sinks.addFiles('store files', dir)
    const issued = sandbox.ledger.map((entry) => entry.value)
    const keys = [masterKey, Buffer.from(masterKey, 'hex').toString('base64')]
    const { where, ...found } = sinks.search([...issued, ...keys], control)
    if (where.length > 0) screen.line(`A secret was found in: ${where.join(', ')}`)
    const evidence = { toolCalls, approvals, roundTrips, contextTokens }
    return { ok: story(sandbox), ...evidence, ...found, secretsIssued: issued.length }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** What the service's own log says: a key was made, it found numbers, and it was refused afterwards. */
function story({ log, ledger }: Sandbox): boolean {
  const key = ledger.find((entry) => entry.kind === 'api_key')
  if (key?.revokedAt === undefined) return false
  const uses = log.filter((one) => one.name === 'available_phone_numbers')
  const mine = uses.filter((one) => one.authorization === key.id)
  return mine.some((one) => one.status === 200) && mine.at(-1)?.status === 401
}

function mailboxOf(sandbox: Sandbox): Mailbox {
  return {
    address: email,
    list: async ({ to, since }) => sandbox.mail.list(to).filter((one) => one.receivedAt >= since),
  }
}

function lastResult(messages: readonly ModelMessage[]): string {
  const last = messages.findLast((message) => message.role === 'tool')
  const part = last?.role === 'tool' ? last.content.at(-1) : undefined
  if (part?.type !== 'tool-result') return ''
  const { value } = part.output as { value?: unknown }
  return typeof value === 'string' ? value : ''
}
