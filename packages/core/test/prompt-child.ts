// A program at a terminal: asks its person for a key and prints what became of it.
import { allowLoopback } from '../src/net/transport.ts'
import { promptPerson } from '../src/node/index.ts'
import { createAgentAuth } from '../src/node/main.ts'
import { memoryStore } from '../src/vault/memory-store.ts'

const auth = createAgentAuth({ store: memoryStore(), [allowLoopback]: true })
const service = process.argv[2] ?? ''
const asked = await auth.as({ tenant: 'acme' }).register({ service, method: 'manual' })
if (asked.status !== 'needs_person') throw new Error(asked.status)
const { registration: id = '', need } = asked
const outcome = await promptPerson(auth, { id, service, need })
console.log(`came to ${outcome?.status}`)
