import { once } from 'node:events'
import { get } from 'node:http'
import { json } from 'node:stream/consumers'
import { allowLoopback, createAgentAuth, memoryStore } from '@authmd/core'
import { serveStdio } from '../src/index.ts'
import { email, owner } from './world.ts'

/** What a client starts: `node test/stdio-server.ts <mail url of the sandbox>`. */
const [, , mailUrl = ''] = process.argv

const list = async ({ to, since }: { to: string; since: number }) => {
  const { host, port } = new URL(mailUrl)
  const path = `/messages?to=${encodeURIComponent(to)}`
  const [response] = await once(
    get({ host: '127.0.0.1', port, path, headers: { host } }),
    'response',
  )
  const found = await json(response)
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
