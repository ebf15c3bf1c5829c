/** What the scripted model does next: call one tool, or say something and stop. */
export type Move =
  | { readonly tool: string; readonly input: Readonly<Record<string, unknown>> }
  | { readonly say: string }

/** What a model has read so far. */
export interface Seen {
  /** The texts that tools gave it, the oldest first. */
  readonly results: readonly string[]
  /** The tools that it called, the oldest first. */
  readonly called: readonly string[]
  /** What the person said, the oldest first. */
  readonly said: readonly string[]
}

/** What the person says in the course of the demo. */
export const requests = {
  find: 'Find me a phone number in Chicago at Telnyx; you have no account there',
  order: 'Good. Look whether the balance is enough, and order that number.',
  giveBack: 'Thank you. Give the key back, you will not need it again.',
  deleted: 'Done, the key is deleted.',
} as const

/**
 * The script of the demo: discover, register, solve the puzzle, claim, use; two of the service's own
 * tools; revoke. It decides by what a real model would read, and by that alone; `solve` stands for its
 * thinking.
 */
export function phoneNumberScript(
  service: string,
  solve: (problem: string) => string,
): (seen: Seen) => Move {
  return ({ results, called, said }) => {
    const last = results.at(-1) ?? ''
    const asked = said.at(-1)
    const number = results.flatMap((text) => /\+1\d{10}/.exec(text)?.[0] ?? [])[0]
    const handle = results.map((text) => /\bcred_[\w-]+/.exec(text)?.[0]).findLast(Boolean)
    // Named in the task, and repeated at the end as a person would expect.
    const ticket = /, ticket [\w-]+/.exec(said[0] ?? '')?.[0] ?? ''
    const registration = /\breg_[\w-]+/.exec(last)?.[0]
    const revoke = { tool: 'auth_revoke', input: { credential: handle } }
    switch (/^\w+/.exec(last)?.[0]) {
      case undefined:
        return { tool: 'auth_discover', input: { service } }
      case 'found':
        return { tool: 'auth_register', input: { service } }
      case 'needs_answer': {
        const [, problem = ''] = /<<<[^\n]*\n([\s\S]*?)\n>>>/.exec(last) ?? []
        return { tool: 'auth_register', input: { service, registration, answer: solve(problem) } }
      }
      case 'pending':
        return { tool: 'auth_claim', input: { registration } }
      case 'ready':
        return {
          tool: 'auth_use',
          input: {
            service,
            path: '/v2/available_phone_numbers',
            query: { 'filter[locality]': 'Chicago', 'page[size]': 3 },
          },
        }
      case 'answered':
        if (asked === requests.giveBack) return revoke
        if (asked !== requests.order) return { say: `I found ${number} in Chicago${ticket}.` }
        if (called.at(-1) === 'auth_use') return { tool: 'telnyx_get_balance', input: {} }
        if (called.at(-1) === 'telnyx_get_balance') {
          return { tool: 'telnyx_order_number', input: { phone_number: number } }
        }
        return { say: `I ordered ${number}.` }
      case 'needs_person':
        return asked === requests.deleted
          ? revoke
          : { say: 'Please delete the key on the page that I was shown, then tell me.' }
      case 'ended':
        return { say: 'The key that I used is revoked.' }
      default:
        return { say: `I could not go on: ${last.split('\n', 1)[0]}` }
    }
  }
}
