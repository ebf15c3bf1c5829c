import {
  allowLoopback,
  createAgentAuth,
  defaultMethods,
  type Json,
  type Method,
  type RequestPlan,
  Secret,
  type Store,
  type Transition,
} from '@authmd/core'

export const owner = { tenant: 'acme', user: 'kim' }

/** What a worker is told to do; `now` is its clock from then on, epoch milliseconds. */
export interface Job {
  readonly id: number
  readonly now: number
  readonly verb: 'fetch' | 'forget' | 'register' | 'use' | 'wait' | 'done' | 'watch' | 'hang'
  /** The origin of the service, the handle, the registration, or the queue. */
  readonly on: string
}

/** One process of a fleet: does what its parent sends, and remembers what owners hold. */
export function work(store: Store, maxAgeMs: number): void {
  let now = 0
  const auth = createAgentAuth({
    store,
    [allowLoopback]: true,
    clock: () => now,
    cache: { maxAgeMs },
    methods: [...defaultMethods, tokenMethod, handMethod],
  })
  const session = auth.as(owner)
  const act = async ({ verb, on }: Job): Promise<unknown> => {
    if (verb === 'fetch') return (await session.fetch(on)(`${on}/api/thing`)).status
    if (verb === 'forget') return (await session.forget(on)).status
    if (verb === 'use') return (await session.use({ credential: on, path: '/api/thing' })).status
    if (verb === 'wait') {
      const { registration = '' } = await session.register({ service: on, method: 'test-hand' })
      await session.waitFor([registration], { queue: 'fleet', at: { on } })
      return registration
    }
    if (verb === 'done') return auth.people.answer(on, { done: true }, { approver: 'kim' })
    if (verb === 'watch' || verb === 'hang') {
      const hang = () => {
        process.send?.({ id: -1, said: 'taken' })
        return new Promise<void>(() => {})
      }
      const onSettled = verb === 'hang' ? hang : async () => undefined
      return (await auth.watchRegistrations({ queue: on, onSettled })).resumed
    }
    const outcome = await session.register({ service: on, method: 'test-token' })
    return outcome.status === 'ready' ? outcome.credential.handle : outcome.status
  }
  process.on('message', async (job: Job) => {
    now = job.now
    const said = await act(job).catch((error: { code?: string }) => error.code ?? String(error))
    process.send?.({ id: job.id, said })
  })
  process.once('disconnect', () => process.exit())
  process.send?.({ id: 0 })
}

/** The smallest method whose credentials can be renewed: a token endpoint below the service. */
const tokenMethod: Method = {
  id: 'test-token',
  offers: ({ service }) => {
    const summary = 'A token.'
    return [{ method: 'test-token', service, summary, needs: ['nothing'], plan: {}, sources: [] }]
  },
  begin: (_, { service }) => ({
    state: service,
    next: { send: [plan(service, { grant_type: 'test' })] },
  }),
  next: (context, state, event) => read(context.now, state, event),
  refresh: (context, state, event) => {
    if (event) return read(context.now, state, event)
    const form = { grant_type: 'refresh_token', refresh_token: { secret: 'refresh' } }
    return { state, next: { send: [plan(String(state), form)] } }
  },
}

/** One that waits for a person to say that they have done something. */
const handMethod: Method = {
  id: 'test-hand',
  offers: ({ service }) => {
    const summary = 'By hand.'
    return [{ method: 'test-hand', service, summary, needs: ['person'], plan: {}, sources: [] }]
  },
  begin: (_, { service }) => {
    const need = { kind: 'open-link', text: 'Do it.', url: service } as const
    return { state: service, next: { wait: { for: 'person', need } } }
  },
  next: (_, state) => {
    const service = String(state)
    const where = { header: 'authorization', prefix: '', issuedBy: service, bases: [service] }
    return { state, next: { done: { kind: 'none', ...where } } }
  },
}

function plan(service: string, form: NonNullable<RequestPlan['request']['form']>): RequestPlan {
  const request = { method: 'POST', url: `${service}/token`, form } as const
  return { name: 'token', request, effect: 'none', ifLost: 'repeat' }
}

function read(now: number, state: Json, event: Parameters<Method['next']>[2]): Transition<Json> {
  const answer = event.type === 'answer' ? event.answers.token : undefined
  if (answer === undefined || answer === 'lost' || answer.status !== 200) {
    return { state, next: { failed: { code: 'service_refused', reason: 'No token.' } } }
  }
  const { access_token, refresh_token, expires_in } = answer.json as Record<string, string>
  return {
    state,
    secrets: { access: new Secret(access_token ?? ''), refresh: new Secret(refresh_token ?? '') },
    next: {
      done: {
        secret: 'access',
        kind: 'access_token',
        header: 'authorization',
        prefix: 'Bearer ',
        issuedBy: `${String(state)}/token`,
        bases: [`${String(state)}/api`],
        expires: now + Number(expires_in) * 1000,
        refresh: { state, secrets: ['refresh'] },
      },
    },
  }
}
