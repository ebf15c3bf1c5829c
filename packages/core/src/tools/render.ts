import type { Orphan, Outcome } from '../outcome.ts'
import { ownLine, serviceText, serviceWords } from './service-text.ts'

const maxProblem = 2_000
const maxBody = 6_000
/** Entries of one list that are written out. */
const maxListed = 20

/**
 * An outcome as a model reads it: the status first, then what it means, the service's words marked as
 * such, and the next call at the end.
 */
export function renderOutcome(outcome: Outcome): string {
  const { status, registration, service, next } = outcome
  const head = [status, ...(registration ? [`registration ${registration}`] : []), service]
  const title = ownLine(head.filter((part) => part !== undefined).join(' · '))
  const changes = (outcome.changes ?? []).slice(0, 5).map((change) => {
    return `note: the service has changed; this registration stays with what it began with: ${serviceWords(change)}`
  })
  return [title, ...body(outcome), ...changes, `Next: ${ownLine(next)}`].join('\n')
}

function body(outcome: Outcome): string[] {
  switch (outcome.status) {
    case 'found':
      return found(outcome)
    case 'ready': {
      const { handle, audience, kind } = outcome.credential
      const where = ownLine(audience.join(', '))
      if (kind === 'none') {
        return [
          `The service needs no credential for requests below ${where}: auth_use sends them as they are.`,
        ]
      }
      return [
        `The vault holds the credential ${handle}, for requests below ${where}. auth_use adds it to a request; it is never shown and never asked for.`,
      ]
    }
    case 'needs_consent':
      return [
        'A person must agree to this first. Nothing was sent. Do not answer in their place.',
        ...outcome.action.summary.split('\n').map((line) => ownLine(line, 4_000)),
      ]
    case 'needs_person': {
      const { text, url, until, code } = outcome.need
      return [
        ...notice(outcome.notice),
        `Tell the person: ${ownLine(text)}`,
        ...(url ? [`Page: ${ownLine(url)}`] : []),
        ...(code ? [`Code, to show as it is, for that page alone: ${ownLine(code, 60)}`] : []),
        ...(until !== undefined ? [`Good until ${time(until)}.`] : []),
      ]
    }
    case 'needs_answer':
      return [
        ...notice(outcome.notice),
        `The service asks a puzzle that you solve yourself. Answer with ${ownLine(outcome.form)}, nothing else.`,
        serviceText(outcome.problem, maxProblem),
      ]
    case 'pending':
      return [ownLine(outcome.reason), `Not before ${time(outcome.notBefore)}.`]
    case 'uncertain':
      return [
        `In doubt: ${ownLine(outcome.request)}. ${ownLine(outcome.check)}`,
        ...outcome.orphans.slice(0, maxListed).map(({ what, url }) => {
          return ownLine(`May exist at the service: ${what}${url ? `, see ${url}` : ''}`)
        }),
      ]
    case 'refused': {
      const http = outcome.httpStatus ? ` (HTTP ${outcome.httpStatus})` : ''
      return [
        ownLine(`${outcome.code}${http}: ${outcome.reason}`),
        ...(outcome.payment ?? []).map(({ protocol, ...terms }) => {
          const words = Object.entries(terms).map(([name, value]) => `${name} ${value}`)
          return `The service asks for a payment by ${ownLine(protocol, 60)}: ${serviceWords(words.join(' · '), 600)}`
        }),
        ...(outcome.personSays
          ? [`The person says: ${serviceWords(outcome.personSays, 600)}`]
          : []),
        ...(outcome.errors ?? []).slice(0, 5).map((error) => {
          const words = [error.code, error.title, error.detail].filter((part) => part !== undefined)
          return `The service says: ${serviceWords(words.join(' · '), 600)}`
        }),
        ...(outcome.notBefore !== undefined ? [`Not before ${time(outcome.notBefore)}.`] : []),
      ]
    }
    case 'answered':
      return answered(outcome.answer)
    case 'ended':
      return [
        ownLine(`${outcome.verdict}: ${outcome.reason}`),
        ...(outcome.url ? [`A person can end it at ${ownLine(outcome.url)}`] : []),
      ]
  }
}

function mayExist(orphans: readonly Orphan[]): string {
  const said = orphans.slice(0, 5)
  return said.map(({ what, url }) => `; may exist: ${what}${url ? ` (${url})` : ''}`).join('')
}

function found(outcome: Extract<Outcome, { status: 'found' }>): string[] {
  const { offers, credentials, registrations, warnings } = outcome
  const lines = [
    ...offers.map(
      ({ method, summary, needs }) => `offer ${method}: ${summary} Needs: ${needs.join(', ')}.`,
    ),
    ...credentials.map(({ handle, service, state, parent, kind, orphan, shared }) => {
      const from = parent === undefined ? '' : `, ${kind} that an answer to ${parent} held`
      const whose = shared ? `, another owner's, shared to ${shared.verbs.join(' and ')}` : ''
      return `held ${handle}: ${service}, ${state}${from}${whose}${mayExist(orphan ? [orphan] : [])}`
    }),
    ...registrations.map(({ id, service, state, orphans }) => {
      return `registration ${id}: ${service}, ${state}${mayExist(orphans)}`
    }),
  ].map((line) => ownLine(line))
  const left = lines.length - maxListed
  return [
    ...(lines.length === 0 ? ['Nothing is offered and nothing is held.'] : []),
    ...lines.slice(0, maxListed),
    ...(outcome.because ? [ownLine(outcome.because)] : []),
    ...(left > 0 ? [`… and ${left} more`] : []),
    ...warnings.slice(0, 5).map((warning) => `note: ${serviceWords(warning)}`),
  ]
}

function answered(answer: Extract<Outcome, { status: 'answered' }>['answer']): string[] {
  const { status, headers, body: text, truncated, redacted, captured } = answer
  const shown = Object.entries(headers).map(([name, value]) => `${name}: ${serviceWords(value)}`)
  const kept = captured.map((handle) => `A new credential in the answer is held as ${handle}.`)
  return [
    [`HTTP ${status}`, ...shown].join(' · '),
    ...(redacted > 0
      ? [
          `"[secret held by the vault]" stands for a secret, in ${redacted} place(s): not an error, nothing to correct.`,
        ]
      : []),
    ...kept,
    text === '' ? 'The body is empty.' : serviceText(text, maxBody),
    ...(truncated || text.length > maxBody
      ? ['The body was longer and is cut: ask for less.']
      : []),
  ]
}

function notice(text: string | undefined): string[] {
  return text === undefined ? [] : [`Note: ${serviceWords(text)}`]
}

function time(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? 'a time that is not known' : date.toISOString()
}
