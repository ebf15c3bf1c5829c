import type { AuthPart, AuthUIMessage } from '@authmd/ai-sdk'

type Part = AuthUIMessage['parts'][number]
type NeedPart = Extract<Part, { type: 'data-authmd' }>

/** The parts that a person has still to act on: the newest of each registration, if it needs them. */
export function newestNeeds(messages: readonly AuthUIMessage[]): ReadonlySet<NeedPart> {
  const newest = new Map<string | undefined, NeedPart>()
  for (const part of messages.flatMap((message) => message.parts)) {
    if (part.type === 'data-authmd') newest.set(part.id, part)
  }
  return new Set([...newest.values()].filter(({ data }) => data.need))
}

/** What the person may want to say next. */
export function suggestionFor(
  messages: readonly AuthUIMessage[],
  needs: ReadonlySet<NeedPart>,
): string | undefined {
  if (messages.length === 0) return 'Find me a phone number in Chicago at Telnyx'
  const parts = messages.flatMap((message) => message.parts)
  if (parts.some((part) => 'state' in part && part.state === 'approval-requested')) return undefined
  const [need] = [...needs].map(({ data }) => data.need?.kind)
  if (need === 'open-link') return 'I have deleted it'
  if (need === 'enter-code') return 'I have typed it'
  if (need) return 'Go on'
  const used = parts.some((part) => part.type === 'tool-auth_use')
  const ended = parts.some((part) => part.type === 'tool-auth_revoke')
  return used && !ended ? 'Give the access up' : undefined
}

/** A status of ours in a word or two. */
export const words: Readonly<Record<AuthPart['status'], string>> = {
  found: 'found',
  ready: 'has access',
  needs_consent: 'asks you',
  needs_person: 'waits for you',
  needs_answer: 'solves a puzzle',
  pending: 'waits',
  uncertain: 'in doubt',
  refused: 'refused',
  answered: 'answered',
  ended: 'ended',
}
