import type { LookupFunction } from 'node:net'
import { agentAuth as inAiSdkTools } from '@authmd/ai-sdk'
import {
  type AgentAuth,
  allowLoopback,
  authTools,
  createAgentAuth,
  memoryStore,
} from '@authmd/core'
import { agentAuth as inLangChainTools } from '@authmd/langchain'
import { agentAuth as inMastraTools } from '@authmd/mastra'
import { createAuthServer } from '@authmd/mcp'
import { type Sandbox, startSandbox } from '@authmd/sandbox'
import { convertToOpenAITool } from '@langchain/core/utils/function_calling'
import { Agent } from '@mastra/core/agent'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { isStepCount, streamText, type ToolSet, tool } from 'ai'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { Agent as Dispatcher, fetch as undiciFetch } from 'undici'
import { z } from 'zod'
import { inAiSdk } from '../../apps/demo/src/in-ai-sdk.ts'
import { inLangChain } from '../../apps/demo/src/in-langchain.ts'
import { inMastra } from '../../apps/demo/src/in-mastra.ts'
import { phoneNumberScript, requests } from '../../apps/demo/src/script.ts'
import { scriptedModel } from '../../apps/demo/src/scripted-model.ts'
import type { Framework } from '../../apps/demo/src/story.ts'
import { counted, type Goal, type Group, ratioAtMost } from './figure.ts'
import { naiveScript } from './naive-agent.ts'
import { inTemporaryDir } from './temporary.ts'

const owner = { tenant: 'acme', user: 'kim' }
const email = 'agents@operator.test'
/** Discovery, the four numbered steps of the service's page on signing up, and the call itself. */
const steps = 6
/** So that both agents are asked the same, in every run. */
const samePuzzle = { challenge: { random: () => 0.5 } }
const tokens = (value: unknown) => countTokens(JSON.stringify(value))
const fewer: Goal = { text: '<= 800', holds: ({ value }) => value <= 800 }

/** What stands before the model, in o200k tokens. */
export const context: Group = {
  name: 'context',
  async *figures() {
    const bare = tokens(
      authTools.map(({ name, description, inputSchema }) => {
        return { name, description, inputSchema: z.toJSONSchema(inputSchema) }
      }),
    )
    const sent = await toolsAsSent()
    for (const [framework, tools] of Object.entries(sent)) {
      const against = ['name, description and schema alone', bare] as const
      yield counted(`tool schemas, ${framework}`, 'tokens', tokens(tools), against, fewer)
    }
    const naive = await walkNaively()
    for (const [framework, schemas] of [
      [inAiSdk(undefined), 0],
      // Its fake model is shown the messages alone; a provider sends the tools with each call.
      [inLangChain, tokens(sent.langchain)],
      [inMastra, 0],
    ] as const) {
      const { input, calls } = await walk(framework, schemas)
      const name = `Telnyx flow, ${framework.name}`
      const against = ['a naive agent', naive.input] as const
      yield counted(`${name}, input in all`, 'tokens', input, against, ratioAtMost(1 / 3, '1/3'))
      yield counted(`${name}, model calls`, 'calls', calls, ['steps', steps], ratioAtMost(1))
    }
  },
}

/** The five tools as each framework hands them to a provider or a client. */
async function toolsAsSent() {
  const auth = createAgentAuth({ store: memoryStore() })
  const model = scriptedModel(() => ({ say: 'done' }))
  const authmd = inAiSdkTools(auth, { owner })
  await streamText({ model, prompt: 'x', tools: authmd.tools as ToolSet }).text
  const other = scriptedModel(() => ({ say: 'done' }))
  const { tools } = inMastraTools(auth, { owner: () => owner })
  const agent = new Agent({ id: 'a', name: 'a', instructions: 'x', model: other as never, tools })
  await (await agent.stream('x')).text
  const langchain = inLangChainTools(auth, { owner: () => owner })
  return {
    'ai-sdk': model.doStreamCalls[0]?.tools,
    langchain: langchain.tools.map((one) => convertToOpenAITool(one)),
    mastra: other.doStreamCalls[0]?.tools,
    mcp: await listedOverMcp(auth),
  }
}

/** What clients of MCP put before their model: they keep titles, hints and output schemas to themselves. */
async function listedOverMcp(auth: AgentAuth) {
  const [near, far] = InMemoryTransport.createLinkedPair()
  const server = createAuthServer(auth, { owner })
  const client = new Client({ name: 'bench', version: '0.0.0' })
  await Promise.all([server.connect(far), client.connect(near)])
  const { tools } = await client.listTools()
  await client.close()
  return tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }))
}

interface Walked {
  /** Summed over the model's calls up to the one that makes the first authorised call. */
  readonly input: number
  readonly calls: number
}

/** The Telnyx flow in a framework, by the demo's scripted model. */
function walk(framework: Framework, schemas: number): Promise<Walked> {
  return inTemporaryDir(async (dir) => {
    await using sandbox = await startSandbox(samePuzzle)
    const list = async ({ to, since }: { to: string; since: number }) =>
      sandbox.mail.list(to).filter((one) => one.receivedAt >= since)
    const auth = createAgentAuth({
      store: memoryStore(),
      [allowLoopback]: true,
      identity: () => ({ mailbox: { address: email, list } }),
    })
    const script = phoneNumberScript(sandbox.urls.api, (text) => sandbox.answerTo(text) ?? '')
    const prompts: number[] = []
    let decided = 0
    let calls = 0
    const nothing = () => {}
    const conversation = await framework.open({
      auth,
      owner,
      dir,
      decide: (seen) => {
        const move = script(seen)
        decided++
        if ('tool' in move && move.tool === 'auth_use') calls ||= decided
        return move
      },
      prompted: (prompt) => void prompts.push(tokens(prompt) + schemas),
      left: nothing,
      calls: nothing,
      reads: nothing,
      says: nothing,
      waits: nothing,
      agrees: async () => true,
    })
    await conversation.say(`${requests.find}. Its API is at ${sandbox.urls.api}.`)
    authorised(sandbox)
    return { input: sum(prompts.slice(0, calls)), calls }
  })
}

/** The same with a tool that fetches, by a model that reads both documents and does what they say. */
async function walkNaively(): Promise<Walked> {
  await using sandbox = await startSandbox(samePuzzle)
  const { api, mail } = sandbox.urls
  const script = naiveScript(sandbox.urls, email, (text) => sandbox.answerTo(text) ?? '')
  const model = scriptedModel(script)
  // The sandbox's names are this machine, whatever its resolver says.
  const lookup: LookupFunction = (_name, _options, found) =>
    found(null, [{ address: '127.0.0.1', family: 4 }])
  const dispatcher = new Dispatcher({ connect: { lookup } })
  const fetchTool = tool({
    description: 'Send an HTTP request and read the answer.',
    inputSchema: z.object({
      url: z.string(),
      method: z.string().optional(),
      headers: z.record(z.string(), z.string()).optional(),
      body: z.string().optional(),
    }),
    execute: async ({ url, body, ...init }) => {
      const sent = { ...init, ...(body === undefined ? {} : { body }), dispatcher }
      const response = await undiciFetch(url, sent)
      return `HTTP ${response.status}\n\n${await response.text()}`
    },
  })
  const prompt = `${requests.find}. Its API is at ${api}. Sign up as ${email}; the mail is at ${mail}/messages?to=${email}. I agree to the terms.`
  await streamText({ model, prompt, tools: { fetch: fetchTool }, stopWhen: isStepCount(20) }).text
  await dispatcher.close()
  authorised(sandbox)
  // The last call is the one that reads the answer.
  const made = model.doStreamCalls.slice(0, -1)
  return {
    input: sum(made.map(({ prompt, tools }) => tokens({ prompt, tools }))),
    calls: made.length,
  }
}

function authorised({ log }: Sandbox): void {
  if (log.some((one) => one.name === 'available_phone_numbers' && one.status === 200)) return
  throw new Error('the agent did not come to an authorised call')
}

const sum = (values: readonly number[]) => values.reduce((all, one) => all + one, 0)
