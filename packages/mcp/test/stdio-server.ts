import { allowLoopback, createAgentAuth, memoryStore } from '@authmd/core'
import { serveStdio } from '../src/index.ts'
import { ask, email, owner } from './world.ts'

/** What a client starts: `node test/stdio-server.ts <mail url of the sandbox>`. */
const [, , mailUrl = ''] = process.argv

const list = async ({ to, since }: { to: string; since: number }) => {
  const found = await ask('GET', `${mailUrl}/messages?to=${encodeURIComponent(to)}`)
  const { data } = found as {
    data: {
      id: string
      from: string
      subject: string
      text: string
      html: string
      received_at: string
    }[]
  }
  return data
    .map(({ received_at, ...mail }) => ({ ...mail, receivedAt: Date.parse(received_at) }))
    .filter((mail) => mail.receivedAt >= since)
}
const auth = createAgentAuth({
  store: memoryStore(),
  [allowLoopback]: true,
  identity: () => ({ mailbox: { address: email, list } }),
})
await serveStdio(auth, { owner })
