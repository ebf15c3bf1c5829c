import { createMCPClient } from '@ai-sdk/mcp'
import { serviceMcpCases } from '@authmd/scenarios'

serviceMcpCases(async (url, fetch) => {
  const client = await createMCPClient({ transport: { type: 'http', url: url.href, fetch } })
  const tools = await client.tools()
  return {
    tools: Object.keys(tools),
    call: async (name, input) =>
      tools[name]?.execute?.(input, { toolCallId: 'call-1', messages: [], context: {} }),
    held: [client, tools],
    close: () => client.close(),
  }
})
