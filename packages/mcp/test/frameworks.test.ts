import { createMCPClient, ElicitationRequestSchema } from '@ai-sdk/mcp'
import { MultiServerMCPClient } from '@langchain/mcp-adapters'
import { MCPClient } from '@mastra/mcp'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { expectNoSecret, startTapped, type Tapped, token } from './wire.ts'
import { type CallTool, flowStatuses, wholeFlow } from './world.ts'

let world: Tapped
beforeEach(async () => {
  world = await startTapped()
})
afterEach(() => world.close())

const headers = { authorization: `Bearer ${token}` }
const five = ['auth_claim', 'auth_discover', 'auth_register', 'auth_revoke', 'auth_use']
const accept = { action: 'accept', content: { approve: true } } as const

async function expectWholeFlow(call: CallTool): Promise<void> {
  const texts = await wholeFlow(world, call)
  expect(texts.map((text) => /^\w+/.exec(text)?.[0])).toEqual(flowStatuses)
  expectNoSecret(world.sandbox, world.wire())
}

test("the AI SDK's client, which asks the person", async () => {
  const client = await createMCPClient({
    transport: { type: 'http', url: world.url, headers },
    capabilities: { elicitation: {} },
  })
  const asked: unknown[] = []
  client.onElicitationRequest(ElicitationRequestSchema, ({ params }) => {
    asked.push(params)
    return accept
  })
  const tools = await client.tools()
  expect(Object.keys(tools).sort()).toEqual(five)
  await expectWholeFlow(async (name, input) => {
    const options = { toolCallId: 'call-1', messages: [], context: {} }
    const result = await tools[name]?.execute?.(input, options)
    const { content } = result as { content: { text: string }[] }
    return content[0]?.text ?? ''
  })
  expect(asked).toHaveLength(2)
  await client.close()
})

test("LangChain's adapters, which can ask nobody: the person agrees elsewhere", async () => {
  const client = new MultiServerMCPClient({
    mcpServers: { authmd: { transport: 'http', url: world.url, headers } },
  })
  const tools = await client.getTools()
  expect(tools.map(({ name }) => name).sort()).toEqual(five)
  const call: CallTool = async (name, args) => {
    const tool = tools.find((one) => one.name === name)
    if (tool === undefined) throw new Error(`there is no ${name}`)
    return (await tool.invoke(args)).text
  }
  const consents = () => world.told.filter(({ kind }) => kind === 'consent')
  await expectWholeFlow(async (name, input) => {
    const before = consents().length
    const said = await call(name, input)
    if (!said.startsWith('needs_consent')) return said
    const [asked] = consents().slice(before)
    await world.auth.people.answer(asked?.id ?? '', { approve: true }, { approver: 'kim' })
    return call(name, input)
  })
  expect(consents()).toHaveLength(2)
  await client.close()
})

test("Mastra's client, which asks the person and gives the model the structured content", async () => {
  const asked: unknown[] = []
  const inputRequests = async ({ params }: { params: unknown }) => {
    asked.push(params)
    return accept
  }
  const url = new URL(world.url)
  const client = new MCPClient({
    servers: { authmd: { url, requestInit: { headers }, inputRequests } },
  })
  const tools = await client.listTools()
  expect(Object.keys(tools).sort()).toEqual(five.map((name) => `authmd_${name}`))
  await expectWholeFlow(async (name, input) => {
    const result = await tools[`authmd_${name}`]?.execute?.(input, {} as never)
    return (result as { text: string }).text
  })
  expect(asked).toHaveLength(2)
  await client.disconnect()
})
