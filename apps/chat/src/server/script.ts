import type { Heard, Move } from './scripted-model.ts'

/**
 * The script of the chat: gets access to the service, looks for a number, and gives the key up when it
 * is told to. `solve` stands for a model's thinking.
 */
export function phoneNumberScript(
  service: string,
  solve: (problem: string) => string,
): (heard: readonly Heard[]) => Move {
  return (heard) => {
    const results = heard.filter(({ by }) => by === 'tool').map(({ text }) => text)
    const read = results.at(-1) ?? ''
    const status = /^[\w-]+/.exec(read)?.[0]
    const registration = /\breg_[\w-]+/.exec(read)?.[0]
    const credential = results.map((text) => /\bcred_[\w-]+/.exec(text)?.[0]).findLast(Boolean)
    const last = heard.at(-1)
    const revoke: Move = { tool: 'auth_revoke', input: { credential } }
    if (last?.by === 'person') {
      if (credential !== undefined && /give|revoke|deleted/i.test(last.text)) return revoke
      if (registration !== undefined && (status === 'needs_person' || status === 'pending')) {
        return { tool: 'auth_claim', input: { registration } }
      }
      return { tool: 'auth_discover', input: { service } }
    }
    switch (status) {
      case 'found':
        return { tool: 'auth_register', input: { service } }
      case 'needs_answer': {
        const [, problem = ''] = /<<<[^\n]*\n([\s\S]*?)\n>>>/.exec(read) ?? []
        return { tool: 'auth_register', input: { service, registration, answer: solve(problem) } }
      }
      case 'ready': {
        const query = { 'filter[locality]': 'Chicago', 'page[size]': 3 }
        return {
          tool: 'auth_use',
          input: { service, method: 'GET', path: '/v2/available_phone_numbers', query },
        }
      }
      case 'answered': {
        const [number] = /\+1\d{10}/.exec(read) ?? ['none']
        return {
          say: `A number that is free in Chicago: ${number}. I keep the access until you tell me to give it up.`,
        }
      }
      case 'pending':
        return { say: 'That takes longer than I wait. Tell me to go on in a while.' }
      case 'needs_person':
        return { say: 'This one is yours to do. Tell me when it is done.' }
      case 'ended':
        return { say: 'Done: the service refuses the key now, and nothing of it is left with me.' }
      case 'execution-denied':
        return { say: 'All right, I leave it. Nothing was sent.' }
      default:
        return { say: `I could not go on: ${read.split('\n', 2).join(' ')}` }
    }
  }
}
