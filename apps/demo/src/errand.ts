import type { Move, Seen } from './script.ts'

/** A script for one service: gets in, reads something there, and gives the access back when it is told to. */
export function errandScript(service: string): (seen: Seen) => Move {
  return ({ results, said }) => {
    const last = results.at(-1) ?? ''
    const credential = results.map((text) => /\bcred_[\w-]+/.exec(text)?.[0]).findLast(Boolean)
    const [first, second] = last.split('\n')
    switch (/^\w+/.exec(last)?.[0]) {
      case undefined:
        return { tool: 'auth_discover', input: { service } }
      case 'found':
        return { tool: 'auth_register', input: { service } }
      case 'ready':
        return { tool: 'auth_use', input: { service, path: '/api/resource' } }
      case 'answered':
        if (/give .*back/i.test(said.at(-1) ?? '')) {
          return { tool: 'auth_revoke', input: { credential } }
        }
        return { say: `The service answered: ${second}` }
      case 'ended':
        return { say: 'I gave the access back.' }
      default:
        return { say: `I left it at that: ${first}` }
    }
  }
}
