// An agent that goes the whole way: gets a credential, uses it, replaces it and revokes the first.
// Begun again after a kill, it finds out from what is stored where it stands.
import type { CredentialView, Outcome, PersonNeed } from '../src/outcome.ts'
import { askLoopback } from './ask-loopback.ts'
import { type AgentPlace, storedAgent } from './stored-agent.ts'

/** Where its store is, who is around it, and which way it is to go. */
export interface SoakArgument extends AgentPlace {
  readonly api: string
  readonly operator: string
  readonly method: string
  /** Of who claims at an auth.md service; absent where nobody does. */
  readonly email?: string | undefined
  /** It is claimed after it was used. */
  readonly late?: true | undefined
}

export interface SoakEnd {
  readonly outcome: Outcome
  /** What is in doubt by outcomes that said so. */
  readonly doubts: readonly string[]
}

export async function wholeWay(argument: SoakArgument): Promise<SoakEnd> {
  const { dir, api, mail, control, operator, method, email, late } = argument
  const agent = await storedAgent({ dir, mail, control }, late ? undefined : email)
  const { auth, session, clock, wait } = agent
  const minute = 60_000
  /** Outcomes that said that something is in doubt, by what is in doubt. */
  const doubts = new Set<string>()

  /** The operator's side; it remembers what was agreed to and which key was made for whom. */
  function ask(what: string, json: unknown): Promise<unknown> {
    return askLoopback(`${operator}/${what}`, { method: 'POST', json })
  }

  /** Makes a call again and again, with what people and time do in between, until it says `wanted`. */
  async function until(
    wanted: readonly Outcome['status'][],
    call: () => Promise<Outcome>,
  ): Promise<Outcome> {
    let again = call
    let outcome = await again()
    for (let steps = 0; steps < 60; steps++) {
      if (outcome.status === 'uncertain') doubts.add(outcome.request)
      if (wanted.includes(outcome.status)) return outcome
      const { registration = '' } = outcome
      const service = api
      again = registration === '' ? call : () => session.claim({ registration })
      switch (outcome.status) {
        case 'needs_answer': {
          const answer = await answerTo(outcome.problem)
          again = () => session.register({ service, registration, answer })
          const asked = await again()
          if (asked.status === 'needs_consent') {
            outcome = asked
            await agree(asked)
          }
          break
        }
        case 'needs_consent':
          await agree(outcome)
          break
        case 'needs_person':
          await helped(registration, outcome.need)
          break
        case 'pending':
          await wait(outcome.notBefore)
          break
        case 'uncertain':
          await wait(clock() + minute + 1_000)
          if (['api_keys', 'agent_identity', 'described_request'].includes(outcome.request)) {
            again = () => session.register({ service, registration })
          }
          break
        case 'refused':
          if (outcome.code !== 'service_unreachable') return outcome
          await wait(outcome.notBefore ?? clock() + 30_000)
          again = call
          break
        default:
          return outcome
      }
      outcome = await again()
    }
    return outcome
  }

  /** What the model says. */
  async function answerTo(problem: string): Promise<string> {
    // A name for each try: the one before it may be taken by an account that nobody holds.
    const said = { name: `scribe-${clock()}`, purpose: 'It writes notes for a team.' }
    if (method === 'guided') return JSON.stringify(said)
    const told = await askLoopback(`${control}/answer?problem=${encodeURIComponent(problem)}`)
    return (told as { answer: string }).answer
  }

  /** What the person does who is asked. */
  async function helped(registration: string, { kind, url, code }: PersonNeed): Promise<void> {
    const approver = { approver: 'kim' }
    if (kind === 'paste-key') {
      const { key } = (await ask('key', { registration })) as { key: string }
      await auth.people.answer(registration, { secret: key }, approver)
    } else if (kind === 'enter-code') {
      await ask('type', { url, code })
      await wait(clock() + 6_000)
    } else if (kind === 'read-code') {
      const read = (await ask('read', { url })) as { code?: string }
      if (read.code === undefined) await wait(clock() + minute)
      else await auth.people.answer(registration, { code: read.code }, approver)
    } else await ask('delete', {})
  }

  async function agree(outcome: Extract<Outcome, { status: 'needs_consent' }>): Promise<void> {
    const kinds = outcome.action.effects.map(({ kind }) => kind)
    // Said before it is decided: killed in between, it may count as agreed to and is not.
    await ask('agree', { consent: outcome.consent, kinds })
    await auth.people.answer(outcome.consent, { approve: true }, { approver: 'kim' })
  }

  /** Credentials that were registered, the newest first. */
  async function held(): Promise<readonly CredentialView[]> {
    return (await session.list()).filter(({ parent }) => parent === undefined)
  }

  /** With a service of auth.md: tokens last an hour, and so do the assertions that renew them. */
  async function renewing(): Promise<Outcome> {
    if ((await held()).length === 0) {
      const got = await until(['ready'], () => session.register({ service: api, method }))
      if (got.status !== 'ready') return got
    }
    const [{ handle: credential } = { handle: '' }] = await held()
    const use = () => session.use({ credential, path: '/api/resource' })
    let used = await until(['answered'], use)
    const registration = credential.replace(/^cred_/, 'reg_')
    const claim = () => session.register({ service: api, registration, email: email ?? '' })
    if (late) await until(['ready', 'refused'], claim)
    for (let times = 0; used.status === 'answered' && times < 2; times++) {
      await wait(clock() + 61 * minute)
      used = await until(['answered'], use)
    }
    const ended = await until(['ended'], () => session.revoke({ credential }))
    return used.status === 'answered' ? ended : used
  }

  async function way(): Promise<Outcome> {
    if ((await held()).length === 0) {
      const got = await until(['ready'], () => session.register({ service: api, method }))
      if (got.status !== 'ready') return got
    }
    if ((await held()).length === 1) {
      const [{ handle: credential } = { handle: '' }] = await held()
      await until(['answered'], () => session.use({ credential, path: '/v2/balance' }))
      const json = { from: '+13125550100', to: '+13125550101', text: 'hello' }
      const message = { credential, method: 'POST', path: '/v2/messages', json }
      await until(['answered', 'uncertain'], () => session.use(message))
      const made = await until(['ready'], () => session.revoke({ credential, replace: true }))
      if (made.status !== 'ready') return made
    }
    const [old] = (await held()).slice(-1)
    return until(['ended'], () => session.revoke({ credential: old?.handle ?? '' }))
  }

  /** By what a text describes; nothing there ends a key but a person. */
  async function described(): Promise<Outcome> {
    const got = await until(['ready'], () => session.register({ service: api, method }))
    if (got.status !== 'ready') return got
    return until(['answered'], () => session.use({ service: api, path: '/v1/me' }))
  }

  const ways: Readonly<Record<string, () => Promise<Outcome>>> = {
    'agent-auth': renewing,
    guided: described,
  }
  const outcome = await (ways[method] ?? way)()
  return { outcome, doubts: [...doubts] }
}
