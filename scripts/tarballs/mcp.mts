import assert from 'node:assert/strict'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { owner, startWorld } from './world.mts'

await using world = await startWorld()
const client = new Client({ name: 'test', version: '1.0.0' })
const server = { command: process.execPath, args: ['mcp-server.mts'] }
await client.connect(new StdioClientTransport(server))
const { tools } = await client.listTools()
const names = tools.map(({ name }) => name)
const verbs = ['discover', 'register', 'claim', 'use', 'revoke']
assert.deepEqual(
  names,
  verbs.map((verb) => `auth_${verb}`),
)
const args = { service: world.service }
const found = await client.callTool({ name: 'auth_discover', arguments: args })
assert.match(JSON.stringify(found.content), /"found /)
await client.close()

// The other way round: core as a client of the service's own MCP server.
await world.importKey()
const session = world.auth.as(owner)
const mounted = await session.mount(world.service, { allow: ['get_balance'] })
const balance = mounted.tools.find(({ name }) => name.endsWith('get_balance'))
const said = await balance?.run(session, {}, { channel: 'test' })
assert.match(said?.text ?? '', /"5\.00"/)
console.log(`mcp: ${[...names, balance?.name].join(' ')}`)
