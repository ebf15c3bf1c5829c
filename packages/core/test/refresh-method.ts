import type { Json, Method, PlanAnswer, RequestPlan, Transition } from '../src/methods/method.ts'
import { readTokenAnswer } from '../src/methods/token-answer.ts'

/** The smallest method whose credentials can be renewed: a token endpoint below the service. */
export const tokenMethod: Method = {
  id: 'test-token',
  offers: ({ service }) => [
    {
      method: 'test-token',
      service,
      summary: 'A token.',
      needs: ['nothing'],
      plan: {},
      sources: [],
    },
  ],
  begin: (_, { service }) => ({
    state: service,
    next: { send: [plan(service, { grant_type: 'test' })] },
  }),
  next: (context, state, event) =>
    event.type === 'answer' ? read(context.now, state, event.answers.token) : failed(state),
  refresh: (context, state, event) => {
    if (event?.type === 'answer') return read(context.now, state, event.answers.token)
    const form = { grant_type: 'refresh_token', refresh_token: { secret: 'refresh' } }
    return { state, next: { send: [plan(String(state), form)] } }
  },
}

function plan(service: string, form: NonNullable<RequestPlan['request']['form']>): RequestPlan {
  const request = { method: 'POST', url: `${service}/token`, form } as const
  return { name: 'token', request, effect: 'none', ifLost: 'repeat' }
}

function read(now: number, state: Json, answer: PlanAnswer | 'lost' | undefined): Transition<Json> {
  if (answer === undefined || answer === 'lost' || answer.status !== 200) return failed(state)
  const { accessToken, refreshToken, expires } = readTokenAnswer(answer.json, now)
  return {
    state,
    secrets: { access: accessToken, ...(refreshToken ? { refresh: refreshToken } : {}) },
    next: {
      done: {
        secret: 'access',
        kind: 'access_token',
        header: 'authorization',
        prefix: 'Bearer ',
        issuedBy: `${String(state)}/token`,
        bases: [`${String(state)}/api`],
        ...(expires === undefined ? {} : { expires }),
        refresh: { state, secrets: ['refresh'] },
        revocation: {
          mode: 'programmatic',
          url: `${String(state)}/revoke`,
          refreshToken: 'refresh',
        },
      },
    },
  }
}

function failed(state: Json): Transition<Json> {
  return { state, next: { failed: { code: 'service_refused', reason: 'No token.' } } }
}
