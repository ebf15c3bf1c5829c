// An agent that goes through the flow as far as it gets, against a store on disk. The test kills its
// process on the way and begins it again.
import type { Orphan, Outcome } from '../src/outcome.ts'
import { askLoopback } from './ask-loopback.ts'
import { type AgentPlace, storedAgent } from './stored-agent.ts'

/** Where its store is, and the sandbox. */
export interface KillArgument extends AgentPlace {
  readonly api: string
}

/** Where it came to rest. */
export interface Rest {
  readonly outcome: Outcome
  readonly consents: number
  readonly orphans: readonly Orphan[]
}

export async function goAsFar({ api, ...place }: KillArgument): Promise<Rest> {
  const { auth, session, clock, wait } = await storedAgent(place)
  let consents = 0

  async function follow(outcome: Outcome): Promise<Outcome | undefined> {
    const { registration = '' } = outcome
    switch (outcome.status) {
      case 'found':
        return session.register({ service: api })
      case 'needs_answer': {
        const problem = encodeURIComponent(outcome.problem)
        const { answer } = (await askLoopback(`${place.control}/answer?problem=${problem}`)) as {
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
