import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { type AgentAuthOptions, defaultMethods } from '../src/agent-auth.ts'
import type { Json, Method, PlanAnswer, RequestPlan, Transition } from '../src/methods/method.ts'
import { allowLoopback } from '../src/net/transport.ts'
import { createAgentAuth } from '../src/node/main.ts'
import { memoryStore } from '../src/vault/memory-store.ts'
import { Secret } from '../src/vault/secret.ts'
import { expectStatus, owner } from './world.ts'

export const rightCode = '028117'
const key = 'made-up-key-0123456789'

/** The smallest method that takes a code from a person (`read`), or has them type one (`enter`). */
export function coded(way: 'read' | 'enter'): Method {
  const waits = (state: Json, notice?: string): Transition<Json> => {
    const page = { url: `${String(state)}/claim` }
    const need =
      way === 'read'
        ? { ...page, kind: 'read-code', text: 'Sign in on this page, which then shows a code.' }
        : { ...page, kind: 'enter-code', text: 'Type the code on this page.', code: rightCode }
    const code = way === 'read' ? { code: { alphabet: '0123456789', length: 6 } } : {}
    const said = notice === undefined ? {} : { notice }
    return { state, next: { wait: { for: 'person', need, ...code, ...said } } } as Transition<Json>
  }
  return {
    id: 'coded',
    offers: ({ service }) => [
      { method: 'coded', service, summary: 'By a code.', needs: ['person'], plan: {}, sources: [] },
    ],
    begin: (_, { service }) => waits(service),
    next: (_, state, event) => {
      if (event.type === 'answer') {
        const { complete } = event.answers
        const issued = complete !== 'lost' && complete?.status === 200
        return issued ? done(state, complete) : waits(state, 'The service does not know this code.')
      }
      if (event.type !== 'person') return waits(state)
      const given = 'code' in event.input ? { code: event.input.code } : {}
      return { state, next: { send: [complete(String(state), given)] } }
    },
  }
}

function complete(service: string, json: Json): RequestPlan {
  const request = { method: 'POST', url: `${service}/complete`, json } as const
  return { name: 'complete', request, effect: 'none', ifLost: 'repeat' }
}

function done(state: Json, { json }: PlanAnswer): Transition<Json> {
  return {
    state,
    secrets: { key: new Secret((json as { key: string }).key) },
    next: {
      done: {
        secret: 'key',
        kind: 'api_key',
        header: 'authorization',
        prefix: 'Bearer ',
        issuedBy: `${String(state)}/complete`,
        bases: [`${String(state)}/v1`],
      },
    },
  }
}

/** A service with that one way in. `sent`: the codes that it was given; `typed`: one was typed on its page. */
export async function codedService() {
  const sent: (string | undefined)[] = []
  const state = { sent, typed: false }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    if (request.url !== '/complete') return void response.writeHead(404).end()
    const { code } = JSON.parse(Buffer.concat(chunks).toString()) as { code?: string }
    sent.push(code)
    const right = code === rightCode || (code === undefined && state.typed)
    response.writeHead(right ? 200 : 401, { 'content-type': 'application/json' })
    response.end(JSON.stringify(right ? { key } : { error: 'no' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return Object.assign(state, { url: `http://localhost:${port}` })
}

/** A registration that waits for a person's part with a code. */
export async function waitingForCode(
  way: 'read' | 'enter',
  options: Partial<AgentAuthOptions> = {},
) {
  const service = await codedService()
  const auth = createAgentAuth({
    store: memoryStore(),
    [allowLoopback]: true,
    methods: [coded(way), ...defaultMethods],
    ...options,
  })
  const session = auth.as(owner)
  const asked = expectStatus(await session.register({ service: service.url }), 'needs_person')
  const { registration = '' } = asked
  return { service, auth, session, asked, registration }
}
