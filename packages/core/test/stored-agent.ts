import { allowLoopback } from '../src/net/transport.ts'
import { fileStore } from '../src/node/file-store.ts'
import { keyFromFile } from '../src/node/keys.ts'
import { createAgentAuth } from '../src/node/main.ts'
import { askLoopback } from './ask-loopback.ts'

interface Mail {
  id: string
  from: string
  subject: string
  received_at: string
  html: string
}

/** Where its store is, and the sandbox's mailbox and control. */
export interface AgentPlace {
  readonly dir: string
  readonly mail: string
  readonly control: string
}

/** An agent with nothing but what lies on disk, at the sandbox's time. `email`: the address that it claims with. */
export async function storedAgent({ dir, mail, control }: AgentPlace, email?: string) {
  let offset = ((await askLoopback(`${control}/clock`)) as { now: number }).now - Date.now()
  const clock = () => Date.now() + offset
  const auth = createAgentAuth({
    store: fileStore({
      dir: `${dir}/store`,
      key: await keyFromFile(`${dir}/key`, { create: true }),
    }),
    [allowLoopback]: true,
    clock,
    identity: () => ({
      ...(email === undefined ? {} : { email }),
      mailbox: {
        address: 'agents@operator.test',
        list: async ({ to, since }) => {
          const all = (await askLoopback(`${mail}/messages?to=${to}`)) as { data: Mail[] }
          return all.data
            .map((one) => ({ ...one, receivedAt: Date.parse(one.received_at) }))
            .filter((one) => one.receivedAt >= since)
        },
      },
    }),
  })

  /** Lets time go by until then, at least a second, in the sandbox and here. */
  async function wait(until: number): Promise<void> {
    const advanceMs = Math.max(1_000, until - clock())
    await askLoopback(`${control}/clock`, { method: 'POST', json: { advanceMs } })
    offset += advanceMs
  }

  return { auth, session: auth.as({ tenant: 'acme', user: 'kim' }), clock, wait }
}
