// npm run langgraph-server
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { startSandbox } from '@authmd/sandbox'
import { StartServerSchema, startServer } from '@langchain/langgraph-api/server'

const { PORT = '2024' } = process.env
process.env.SERVICE ??= (await startSandbox()).urls.authMd
const cwd = join(import.meta.dirname, '..')
// Threads of a service that is gone: the sandbox forgets when it ends, and our memory store as well.
await rm(join(cwd, '.langgraph_api'), { recursive: true, force: true })
const config = JSON.parse(await readFile(join(cwd, 'langgraph.json'), 'utf8'))
const own = { cwd, host: '127.0.0.1', port: Number(PORT), nWorkers: 10 }
const { host, cleanup } = await startServer(StartServerSchema.parse({ ...config, ...own }))
process.once('SIGINT', () => cleanup().then(() => process.exit()))
console.log(`LangGraph Server: http://${host}\nThe service is a sandbox at ${process.env.SERVICE}`)
