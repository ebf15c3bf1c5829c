import type {
  Failure,
  Identity,
  Json,
  MethodContext,
  Offer,
  RequestPlan,
  Wait,
} from '../methods/method.ts'
import type { Orphan, RegistrationView } from '../outcome.ts'
import type { Owner } from '../owner.ts'
import { Secret } from '../vault/secret.ts'

/** One request of a registration: written down before it is sent and again when it is answered. */
export interface JournalEntry {
  readonly name: string
  readonly effect: RequestPlan['effect']
  readonly sentAt: number
  readonly answeredAt?: number
  readonly status?: number
  /** No answer was read; `unsent` where it surely never left. */
  readonly lost?: 'unsent' | 'unknown'
  /** The consent under which it was sent. */
  readonly consent?: string
}

/** Requests that an answer led to and that need a consent which was not there. */
interface ConsentWait {
  readonly for: 'consent'
  readonly plans: readonly [RequestPlan, ...RequestPlan[]]
}

/** A durable record of one attempt to get a credential, from begun to ready or ended. */
export interface Registration {
  readonly id: string
  readonly owner: Owner
  /** The URL at which the model or the application started. */
  readonly start: string
  readonly offer: Offer
  readonly identity: Identity
  /** What the method may go by, as it was when this began. */
  readonly recipe?: Json
  /** Grows each time a consent under it has been used up. */
  readonly revision: number
  readonly state: Json
  readonly status: 'running' | 'waiting' | 'ready' | 'failed' | 'cancelled'
  readonly wait?: Wait | ConsentWait
  readonly failed?: Failure
  /** Plans that were written down as sent and not yet as answered. */
  readonly inFlight?: {
    readonly plans: readonly [RequestPlan, ...RequestPlan[]]
    /** They surely never left: they may be sent again. */
    readonly unsent?: true
    /** What to go back to when it turns out that nothing was sent; `secrets`: the names of those held then. */
    readonly before: {
      readonly state: Json
      readonly wait?: Wait | ConsentWait
      readonly secrets?: readonly string[]
    }
  }
  readonly credential?: string
  readonly replaces?: string
  /** What the one that it replaces was asked for, and lacked. */
  readonly scopes?: MethodContext['scopes']
  /** Nobody of the tenant had held a credential of this service when it began. */
  readonly firstTime?: true
  readonly journal: readonly JournalEntry[]
  readonly consents: readonly string[]
  readonly secrets: Readonly<Record<string, Secret>>
  readonly orphans: readonly Orphan[]
  readonly createdAt: number
}

/** A registration with the store's revision that it was read at. */
export interface Loaded {
  readonly registration: Registration
  readonly stored: number
}

/** To text for a sealing store; this is where ceremony secrets are opened. */
export function encodeRegistration(registration: Registration): string {
  const secrets = Object.fromEntries(
    Object.entries(registration.secrets).map(([name, secret]) => [name, Secret.open(secret)]),
  )
  return JSON.stringify({ ...registration, secrets })
}

/** From the text of a sealing store. */
export function decodeRegistration(text: string): Registration {
  const { secrets, ...rest } = JSON.parse(text) as Registration & {
    secrets: Record<string, string>
  }
  return {
    ...rest,
    secrets: Object.fromEntries(
      Object.entries(secrets).map(([name, value]) => [name, new Secret(value)]),
    ),
  }
}

/** When `tick()` should look at it next; undefined where only somebody's call can move it. */
export function dueOf(registration: Registration, now: number): number | undefined {
  if (registration.inFlight) return now + 60_000
  const { wait } = registration
  if (registration.status !== 'waiting' || wait === undefined) return undefined
  if (wait.for === 'time') return wait.at
  if (wait.for === 'mail') return Math.min(now + 5_000, wait.until)
  if (wait.for === 'person') return wait.look
  return undefined
}

/** Whether it needs neither a person nor time: who waited for that can go on. */
export function isAtRest({ inFlight, status, wait }: Registration): boolean {
  if (inFlight || status === 'running') return false
  return !['person', 'mail', 'time'].includes(wait?.for ?? '')
}

export function viewRegistration(registration: Registration): RegistrationView {
  const { id, offer, status, wait, createdAt, orphans } = registration
  const state = status === 'waiting' && wait ? `waiting for ${wait.for}` : status
  return { id, service: offer.service, method: offer.method, state, createdAt, orphans }
}
