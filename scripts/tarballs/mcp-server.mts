import { allowLoopback, createAgentAuth, memoryStore } from '@authmd/core'
import { serveStdio } from '@authmd/mcp'
import { owner } from './world.mts'

const auth = createAgentAuth({ store: memoryStore(), [allowLoopback]: true })
await serveStdio(auth, { owner })
