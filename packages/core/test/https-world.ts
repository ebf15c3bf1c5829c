import { createGuardedFetch } from '../src/net/guarded-fetch.ts'
import { allowLoopback, type GuardedFetch } from '../src/net/transport.ts'
import { webTransport } from '../src/net/web-transport.ts'

/** Answers of an https world, by URL; what was asked for stands in `asked`. */
export function httpsWorld(answers: Record<string, () => Response>): {
  guarded: GuardedFetch
  asked: Request[]
} {
  const asked: Request[] = []
  const fetch = async (request: Request) => {
    asked.push(request)
    return answers[request.url]?.() ?? new Response('nobody', { status: 404 })
  }
  const transport = webTransport(fetch, { vouched: true })
  return { guarded: createGuardedFetch({ transport, [allowLoopback]: true }), asked }
}

/** A redirect. */
export const to =
  (location: string, status = 302) =>
  () =>
    new Response('x', { status, headers: { location } })
