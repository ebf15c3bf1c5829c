import type { Call } from './consent/ledger.ts'
import type { Engine } from './engine/engine.ts'
import { AuthError } from './errors.ts'
import type { BesideKey, Outcome } from './outcome.ts'
import type { Owner } from './owner.ts'
import { wantedInput } from './people/people.ts'
import { loadOwn } from './register.ts'

/** A key that a person would be asked for. */
export interface KeyRequest {
  readonly owner: Owner
  readonly service: string
  /** The URLs under which it will be sent, and nowhere else. */
  readonly audience: readonly string[]
  /** What goes beside it. */
  readonly beside: readonly BesideKey[]
}

/** The key, with what goes beside it by name; undefined where the application has none. */
export type OperatorKey =
  | string
  | { readonly secret: string; readonly beside?: Readonly<Record<string, string>> }
  | undefined

/** The operator's own key for a service, before a person is asked for one. */
export type KeySource = (request: KeyRequest) => OperatorKey | Promise<OperatorKey>

interface Parts {
  readonly owner: Owner
  readonly engine: Engine
  readonly keys: KeySource | undefined
}

/** Hands over the operator's key where a registration has come to ask a person for one. */
export async function withOperatorKey(
  { owner, engine, keys }: Parts,
  outcome: Outcome,
  call: Call,
): Promise<Outcome> {
  if (!keys || outcome.status !== 'needs_person' || outcome.need.kind !== 'paste-key')
    return outcome
  const { registration, service = '', need } = outcome
  if (registration === undefined) return outcome
  const { audience = [], beside = [] } = need
  const given = await keys({ owner, service, audience, beside })
  if (given === undefined) return outcome
  const said = typeof given === 'string' ? { secret: given } : given
  const loaded = await loadOwn(engine, owner, registration)
  try {
    const input = wantedInput(loaded.registration, { ...said, insist: true })
    return await engine.run(loaded, { type: 'person', input }, 'register', call)
  } catch (error) {
    if (!AuthError.isInstance(error) || error.code !== 'secret_refused') throw error
    return { ...outcome, notice: `The operator's own key was not taken: ${error.message}.` }
  }
}
