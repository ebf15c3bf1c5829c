import { serviceMcpCases } from '@authmd/scenarios'
import { loadMcpTools } from '@langchain/mcp-adapters'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

// `MultiServerMCPClient` takes no `fetch`, so that the plain client makes the connection.
serviceMcpCases(async (url, fetch) => {
  const client = new Client({ name: 'test', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(url, { fetch })
  await client.connect(transport)
  const tools = await loadMcpTools('telnyx', client)
  return {
    tools: tools.map(({ name }) => name),
    call: async (name, input) => tools.find((one) => one.name === name)?.invoke(input),
    held: [client, transport, tools],
    close: () => client.close(),
  }
})
