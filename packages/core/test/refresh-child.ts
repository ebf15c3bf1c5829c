// One process that uses a credential a few times at once, or revokes it, and prints what came of it.
import { allowLoopback } from '../src/net/transport.ts'
import { fileStore } from '../src/node/file-store.ts'
import { createAgentAuth, MasterKey } from '../src/node/main.ts'
import { tokenMethod } from './refresh-method.ts'

const owner = { tenant: 'acme', user: 'kim' }

const { dir, handle, now, verb } = JSON.parse(process.argv[2] ?? '') as Record<string, string>
const key = new MasterKey(new Uint8Array(32).fill(7))
const auth = createAgentAuth({
  store: fileStore({ dir: dir ?? '', key }),
  [allowLoopback]: true,
  clock: () => Number(now),
  methods: [tokenMethod],
})
const use = () => auth.as(owner).use({ credential: handle ?? '', path: '/api/thing' })
const revoke = () => auth.as(owner).revoke({ credential: handle ?? '' })
const outcomes = await Promise.all(verb === 'revoke' ? [revoke()] : [use(), use(), use()])
console.log(JSON.stringify(outcomes.map(({ status }) => status)))
