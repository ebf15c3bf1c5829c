import {
  type AgentAuth,
  allowLoopback,
  createAgentAuth,
  type Mailbox,
  memoryStore,
  type Outcome,
  type OutcomeOf,
  type Session,
  type Store,
} from '@authmd/core'
import {
  type LogEntry,
  longestChain,
  personAtOAuth,
  type Sandbox,
  type SandboxOptions,
  startSandbox,
} from '@authmd/sandbox'
import { counted, type Figure, type Group, median, ratioAtMost } from './figure.ts'

const hopMs = 50
const email = 'agents@operator.test'

interface Flow {
  readonly name: string
  readonly services?: SandboxOptions
  /** What the documents make wait for something else, beside discovery and the call itself. */
  readonly steps: readonly string[]
  /** The operator has given the agent a mailbox. */
  readonly mailed?: true
  readonly service: (sandbox: Sandbox) => string
  readonly path: string
  /** From nothing to a credential. What people do meanwhile is outside `agent`. */
  readonly obtain: (world: World) => Promise<Outcome>
}

interface World {
  readonly sandbox: Sandbox
  readonly auth: AgentAuth
  readonly session: Session
  readonly service: string
  /** Counts and times the work of the agent. */
  readonly agent: <T>(work: () => Promise<T>) => Promise<T>
}

const flows: readonly Flow[] = [
  {
    name: 'Telnyx',
    mailed: true,
    steps: ['puzzle', 'terms', 'signup', 'session', 'key'],
    service: ({ urls }) => urls.api,
    path: '/v2/available_phone_numbers',
    obtain: async (world) => {
      const { sandbox, session, service, agent } = world
      const { problem, registration = '' } = is(
        'needs_answer',
        await agent(() => session.register({ service })),
      )
      const input = { service, registration, answer: sandbox.answerTo(problem) ?? '' }
      const asked = await agent(() => session.register(input))
      await approve(world, asked)
      await agent(() => session.register(input))
      await sandbox.mail.waitFor(email)
      return agent(() => session.claim({ registration }))
    },
  },
  {
    name: 'auth.md v0.7, anonymous',
    services: { authMd: { version: 'v0.7' } },
    steps: ['registration', 'exchange'],
    service: ({ authMd }) => authMd[0].api,
    path: '/api/resource',
    obtain: agreed,
  },
  {
    name: 'AuthKit, anonymous',
    services: { authMd: { version: 'hosted', issuer: 'kit' } },
    steps: ['registration', 'exchange'],
    service: ({ authMd }) => authMd[0].api,
    path: '/api/resource',
    obtain: agreed,
  },
  {
    name: 'OAuth device',
    services: { oauth: { grants: ['device_code'] } },
    steps: ['client', 'device code', 'token'],
    service: ({ oauth }) => oauth[0].api,
    path: '/v1/me',
    obtain: async (world) => {
      const { need, registration = '' } = is('needs_person', await agreed(world))
      await personAtOAuth('ada@operator.test').connect(need.url ?? '', need.code ?? '')
      world.sandbox.clock.advance(5_000)
      return world.agent(() => world.session.claim({ registration }))
    },
  },
]

/** Registers with a person's yes. */
async function agreed(world: World): Promise<Outcome> {
  const { session, service, agent } = world
  await approve(world, await agent(() => session.register({ service })))
  return agent(() => session.register({ service }))
}

async function approve({ auth }: World, outcome: Outcome): Promise<void> {
  const { consent } = is('needs_consent', outcome)
  await auth.people.answer(consent, { approve: true }, { approver: 'kim' })
}

function is<S extends Outcome['status']>(status: S, outcome: Outcome): OutcomeOf<S> {
  if (outcome.status === status) return outcome as OutcomeOf<S>
  throw new Error(`expected ${status}, got ${JSON.stringify(outcome)}`)
}

interface Walked {
  readonly trips: number
  readonly ms: number
}

/**
 * What the agent does before the first authorised call, and that call. `known`: the service has been
 * discovered before; `held`: another process has put a credential into the store.
 */
type Start = 'cold' | 'known' | 'held'

async function walk(flow: Flow, start: Start, delay: number): Promise<Walked> {
  await using sandbox = await startSandbox(flow.services)
  const clock = () => sandbox.clock.now()
  const store = memoryStore({ clock })
  const service = flow.service(sandbox)
  const seen: LogEntry[] = []
  let ms = 0
  const agent: World['agent'] = async (work) => {
    const from = sandbox.log.length
    const slow = sandbox.faults.add({ name: '*', delay })
    const began = performance.now()
    const done = await work()
    ms += performance.now() - began
    slow.remove()
    seen.push(...sandbox.log.slice(from))
    return done
  }
  const open = (): World => {
    const auth = opened(sandbox, store, flow.mailed === true)
    return { sandbox, auth, session: auth.as({ tenant: 'acme', user: 'kim' }), service, agent }
  }
  let world = open()
  if (start === 'known') await world.session.discover({ service })
  if (start === 'held') {
    is('ready', await flow.obtain({ ...world, agent: (work) => work() }))
    world = open()
  } else is('ready', await flow.obtain(world))
  const used = await agent(() => world.session.use({ service, path: flow.path }))
  if (is('answered', used).answer.status !== 200) throw new Error(`${flow.name}: no answer`)
  // A host that nobody serves answers at once.
  const served = seen.filter(({ name }) => sandbox.faults.names.includes(name))
  return { trips: longestChain(served), ms }
}

function opened(sandbox: Sandbox, store: Store, mailed: boolean): AgentAuth {
  const mailbox: Mailbox = {
    address: email,
    list: async ({ to, since }) => sandbox.mail.list(to).filter((one) => one.receivedAt >= since),
  }
  return createAgentAuth({
    store,
    [allowLoopback]: true,
    clock: () => sandbox.clock.now(),
    identity: () => (mailed ? { mailbox } : {}),
    oauth: { redirectUri: 'https://agents.operator.test/back' },
  })
}

const needed = ratioAtMost(1)

/** From a URL to the first authorised call, with 50 ms added to every answer. */
export const roundTrips: Group = {
  name: 'round-trips',
  async *figures({ quick, exactOnly }) {
    for (const flow of flows) {
      for (const start of ['cold', 'known', 'held'] as const) {
        const documents = { cold: 2 + flow.steps.length + 1, known: flow.steps.length + 1, held: 1 }
        const dependent = documents[start]
        const walks: Walked[] = []
        for (let times = exactOnly ? 1 : quick ? 2 : 7; times > 0; times--) {
          walks.push(await walk(flow, start, hopMs))
        }
        // On a busy machine what goes out together may miss each other: counted too long, never too short.
        let trips = Math.min(...walks.map((one) => one.trips))
        for (let more = 3; trips > dependent && more > 0; more--) {
          trips = Math.min(trips, (await walk(flow, start, 5 * hopMs)).trips)
        }
        const name = `round trips, ${flow.name}, ${start}`
        yield counted(name, 'trips', trips, ['dependent requests', dependent], needed)
        if (exactOnly) continue
        const took = walks.map(({ ms }) => ms)
        const reference = dependent * hopMs
        yield {
          name: `wall time, ${flow.name}, ${start}`,
          unit: 'ms',
          value: median(took),
          reference,
          against: `${hopMs} ms a trip`,
          ratio: median(took) / reference,
          spread: [Math.min(...took) / reference, Math.max(...took) / reference],
        } satisfies Figure
      }
    }
  },
}
