// Another process that watches: it takes the thread, says so, and does not come to resume it.
import { allowLoopback, createAgentAuth } from '@authmd/core'
import { fileStore, keyFromFile } from '@authmd/core/node'
import { agentAuth } from '../src/index.ts'
import { agentOf, scriptedModel } from './chat.ts'
import { keep } from './checkpointers.ts'

const { dir, owner, now } = JSON.parse(process.argv[2] ?? '') as {
  dir: string
  owner: { tenant: string; user: string }
  now: number
}
const store = fileStore({ dir: `${dir}/store`, key: await keyFromFile(`${dir}/key`) })
const auth = createAgentAuth({ store, [allowLoopback]: true, clock: () => now })
const authmd = agentAuth(auth, { owner, waits: 'interrupt' })
const kept = await keep('sqlite', dir)
const graph = agentOf({ authmd, checkpointer: kept.open() }, scriptedModel([]))
await authmd.watch({
  graph,
  run: async (_, { thread }) => {
    process.stdout.write(`taken ${thread}\n`)
    await new Promise((never) => setTimeout(never, 600_000))
  },
})
