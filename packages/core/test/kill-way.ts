// An agent that goes through the flow as far as it gets, against a store on disk. The test kills its
// process on the way and begins it again.
import { allowLoopback } from '../src/net/transport.ts'
import { fileStore } from '../src/node/file-store.ts'
import { keyFromFile } from '../src/node/keys.ts'
import { createAgentAuth } from '../src/node/main.ts'
import type { Orphan, Outcome } from '../src/outcome.ts'
import { askLoopback } from './ask-loopback.ts'

interface Mail {
  id: string
  from: string
  subject: string
  received_at: string
  html: string
}

/** Where its store is, and the sandbox. */
export interface KillArgument {
  readonly dir: string
  readonly api: string
  readonly mail: string
  readonly control: string
}

/** Where it came to rest. */
export interface Rest {
  readonly outcome: Outcome
  readonly consents: number
  readonly orphans: readonly Orphan[]
}

export async function goAsFar({ dir, api, mail, control }: KillArgument): Promise<Rest> {
  const email = 'agents@operator.test'
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
      mailbox: {
        address: email,
        list: async ({ to, since }) => {
          const all = (await askLoopback(`${mail}/messages?to=${to}`)) as { data: Mail[] }
          return all.data
            .map((one) => ({ ...one, receivedAt: Date.parse(one.received_at) }))
            .filter((one) => one.receivedAt >= since)
        },
      },
    }),
  })
  const session = auth.as({ tenant: 'acme', user: 'kim' })
  let consents = 0

  async function wait(until: number): Promise<void> {
    const advanceMs = Math.max(1_000, until - clock())
    await askLoopback(`${control}/clock`, { method: 'POST', json: { advanceMs } })
    offset += advanceMs
  }

  async function follow(outcome: Outcome): Promise<Outcome | undefined> {
    const { registration = '' } = outcome
    switch (outcome.status) {
      case 'found':
        return session.register({ service: api })
      case 'needs_answer': {
        const problem = encodeURIComponent(outcome.problem)
        const { answer } = (await askLoopback(`${control}/answer?problem=${problem}`)) as {
          answer: string
        }
        const input = { service: api, registration, answer }
        const asked = await session.register(input)
        if (asked.status !== 'needs_consent') return asked
        consents++
        await auth.people.answer(asked.consent, { approve: true }, { approver: 'kim' })
        return session.register(input)
      }
      case 'pending':
        await wait(outcome.notBefore)
        return session.claim({ registration })
      case 'refused':
        if (outcome.code !== 'service_unreachable') return undefined
        await wait(outcome.notBefore ?? 0)
        return session.register({ service: api })
      case 'uncertain': {
        // Time and mail may still tell what became of it.
        await wait(clock() + 61_000)
        const later = await session.claim({ registration })
        return later.status === 'uncertain' && later.request !== 'bot_signup' ? undefined : later
      }
      case 'ready': {
        const path = '/v2/available_phone_numbers'
        return session.use({ credential: outcome.credential.handle, path })
      }
      default:
        return undefined
    }
  }

  let outcome: Outcome = await session.discover({ service: api })
  for (let steps = 0; steps < 40; steps++) {
    const next = await follow(outcome)
    if (next === undefined) break
    outcome = next
  }
  const all = await session.discover()
  const orphans = all.status === 'found' ? all.registrations.flatMap((one) => one.orphans) : []
  const said = outcome.status === 'uncertain' ? outcome.orphans : orphans
  return { outcome, consents, orphans: said }
}
