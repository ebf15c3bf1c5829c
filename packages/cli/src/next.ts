import type { Outcome } from '@authmd/core'
import { line } from './text.ts'

type Given = Readonly<Record<string, string>>

/**
 * What can be done next, as a command. Core's sentences name the tools of a model (`auth_claim { … }`): each is
 * written as the command that does the same.
 */
export function nextOf(outcome: Outcome): string {
  const { registration } = outcome
  switch (outcome.status) {
    case 'needs_answer':
      return `authmd claim ${registration} --answer "…"`
    case 'needs_consent':
      return `the same command on a terminal, which asks; or with --approve ${outcome.action.digest}, which agrees to this alone; or a page of "authmd serve", then the same command`
    case 'needs_person':
      return registration === undefined
        ? translated(outcome)
        : `authmd claim ${registration} on a terminal, which asks for it; or "authmd serve" for a page`
    case 'refused':
      return outcome.code === 'consent_denied' ? afterNo(outcome) : translated(outcome)
    default:
      return translated(outcome)
  }
}

/** Who reads it may be the one who said no. */
function afterNo({ registration }: Outcome): string {
  const again = 'the same command after that time, if it is wanted after all'
  return registration === undefined ? again : `${again}; authmd revoke ${registration} gives it up`
}

function translated(outcome: Outcome): string {
  const text = outcome.next.replace(
    /auth_(discover|register|claim|use|revoke)(?: (\{[^{}]*\}))?/g,
    (_, verb: string, given = '') => commandOf(verb, fieldsOf(given), outcome),
  )
  return line(text)
}

function fieldsOf(given: string): Given {
  const pairs = [...given.matchAll(/(\w+): (?:"([^"]*)"|(\w+))/g)]
  return Object.fromEntries(pairs.map(([, name, text, word]) => [name ?? '', text ?? word ?? '']))
}

function commandOf(verb: string, given: Given, outcome: Outcome): string {
  const { service = 'URL', registration, credential } = given
  switch (verb) {
    case 'discover':
      return `authmd discover ${service}`
    case 'register':
      // One that was issued to nobody is claimed; any other that runs is found by its service.
      return registration !== undefined && outcome.status !== 'uncertain'
        ? `authmd claim ${registration}`
        : `authmd register ${service}`
    case 'claim':
      return `authmd claim ${registration}`
    case 'revoke':
      return given.replace === 'true'
        ? `authmd rotate ${credential}`
        : `authmd revoke ${credential}`
    default: {
      if (given.path === undefined) return 'authmd use'
      const base = outcome.status === 'ready' ? outcome.credential.audience[0] : given.service
      const which = credential === undefined ? '' : ` --credential ${credential}`
      return `authmd use GET ${base ?? outcome.service ?? 'URL'}/…${which}`
    }
  }
}
