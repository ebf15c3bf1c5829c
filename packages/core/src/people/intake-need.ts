import type { Registration } from '../engine/registration.ts'
import { AuthError } from '../errors.ts'
import type { Outcome, PersonNeed } from '../outcome.ts'
import { answered, type Facts, form } from './intake-pages.ts'
import { refusedBy } from './intake-request.ts'
import type { Frame, Subject, Taken } from './intake-subject.ts'
import type { HandedOver } from './people.ts'

interface NeedParts {
  readonly registration: () => Promise<Registration | undefined>
  readonly answer: (registration: string, said: HandedOver) => Promise<Outcome>
}

/** What a registration waits for from a person. */
export function needOf({ wait }: Registration): PersonNeed | undefined {
  return wait?.for === 'person' || wait?.for === 'mail' ? wait.need : undefined
}

/** The page on which a person hands over what a registration waits for; undefined where it does not. */
export async function needSubject(
  parts: NeedParts,
  kind: PersonNeed['kind'],
  frame: Frame,
): Promise<Subject | undefined> {
  const factsNow = async (): Promise<(Facts & { readonly id: string }) | undefined> => {
    const registration = await parts.registration()
    const need = registration && needOf(registration)
    if (registration === undefined || need?.kind !== kind) return undefined
    const { id, owner, offer, wait } = registration
    const notice = wait?.for === 'person' || wait?.for === 'mail' ? wait.notice : undefined
    const about = { id, need, service: offer.service, owner }
    const code = wait?.for === 'person' ? wait.code : undefined
    return {
      ...frame,
      ...about,
      ...(notice === undefined ? {} : { notice }),
      ...(code === undefined ? {} : { code }),
    }
  }
  const facts = await factsNow()
  if (facts === undefined) return undefined
  return {
    shown: (wanted) => form(facts, wanted),

    async take(fields): Promise<Taken> {
      const given = fields.get('given') ?? ''
      const said = decisionOf(facts.need, given, fields)
      const typed = !('done' in said)
      if (typed && given.trim() === '') {
        return { fault: 'The field was empty', counts: false }
      }
      let outcome: Outcome
      try {
        outcome = await parts.answer(facts.id, said)
      } catch (error) {
        const fault = refusedBy(error, kind)
        if (fault === undefined) throw error
        const doubt = AuthError.isInstance(error) && error.details.doubt === true
        return { fault, counts: !doubt, doubt }
      }
      const now = await factsNow()
      if (now === undefined) return { last: answered(outcome, facts) }
      const reason = outcome.status === 'refused' ? outcome.reason : undefined
      const still = typed
        ? 'Something else was at work on this just now. Please send it once more'
        : 'The service has not seen it yet'
      return { fault: now.notice ?? reason ?? still, counts: typed && now.notice !== undefined }
    },
  }
}

function decisionOf(
  { kind, beside = [] }: PersonNeed,
  given: string,
  fields: URLSearchParams,
): HandedOver {
  switch (kind) {
    case 'paste-key': {
      const more = beside.map(({ name }) => [name, fields.get(`beside.${name}`) ?? ''] as const)
      return {
        secret: given,
        ...(more.length === 0 ? {} : { beside: Object.fromEntries(more) }),
        ...(fields.has('insist') ? { insist: true } : {}),
      }
    }
    case 'open-mail':
      return { link: given.trim() }
    case 'give-email':
      return { email: given.trim() }
    case 'read-code':
      return { code: given.trim() }
    case 'open-link':
    case 'enter-code':
      return { done: true }
  }
}
