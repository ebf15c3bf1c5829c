import { serviceMcpCases } from '@authmd/scenarios'
import { MCPClient } from '@mastra/mcp'

serviceMcpCases(async (url, fetch) => {
  const client = new MCPClient({ servers: { telnyx: { url, fetch } } })
  const tools = await client.listTools()
  return {
    tools: Object.keys(tools),
    call: async (name, input) => tools[name]?.execute?.(input, {} as never),
    held: [client, tools],
    close: () => client.disconnect(),
  }
})
