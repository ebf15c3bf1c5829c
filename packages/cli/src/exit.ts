import type { Outcome } from '@authmd/core'

/** How a command ends, for scripts. The README has the table. */
export const exits = {
  done: 0,
  fault: 1,
  usage: 2,
  refused: 3,
  person: 4,
  pending: 5,
  uncertain: 6,
  answer: 7,
  findings: 8,
  stopped: 130,
} as const

export function exitOf(outcome: Outcome): number {
  switch (outcome.status) {
    case 'found':
      // What is held or waits is something, too.
      return [outcome.offers, outcome.credentials, outcome.registrations].some(
        (it) => it.length > 0,
      )
        ? exits.done
        : exits.refused
    case 'ready':
      return exits.done
    case 'answered':
      return outcome.answer.status >= 400 ? exits.refused : exits.done
    case 'ended':
      // A credential that may still work at its service is no success.
      return outcome.verdict === 'revoked' || outcome.verdict === 'cancelled'
        ? exits.done
        : exits.uncertain
    case 'refused':
      // Nobody has said no: nothing was reached, or nothing could be asked.
      if (outcome.code === 'service_unreachable') return exits.fault
      return outcome.code === 'request_refused' ? exits.usage : exits.refused
    case 'needs_consent':
    case 'needs_person':
      return exits.person
    case 'needs_answer':
      return exits.answer
    case 'pending':
      return exits.pending
    case 'uncertain':
      return exits.uncertain
  }
}
