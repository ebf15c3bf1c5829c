import { type Action, type Effect, makeAction, type Verb } from '../consent/action.ts'
import { newId } from '../encoding.ts'
import { AuthError } from '../errors.ts'
import type { Json, Method, MethodContext, MethodEvent, Transition } from '../methods/method.ts'
import type { Registration } from './registration.ts'

/**
 * What moves a registration on: its beginning, a claim of what it gave without a person, an event of its
 * method, or a consent that came.
 */
export type Push = { readonly type: 'begin' } | { readonly type: 'claim' } | MethodEvent

/** Asks the method what follows. Nothing is sent or written, so that a preview and the run after it agree. */
export async function step(
  method: Method,
  registration: Registration,
  push: Push,
  now: number,
): Promise<Transition<Json>> {
  const { wait, state, identity, offer, recipe, scopes } = registration
  if (wait?.for === 'consent') return { state, next: { send: wait.plans } }
  const context: MethodContext = {
    now,
    random: () => newId('rnd'),
    identity,
    ...(recipe === undefined ? {} : { recipe }),
    ...(scopes === undefined ? {} : { scopes }),
  }
  if (push.type === 'begin') return method.begin(context, offer)
  if (push.type !== 'claim') return method.next(context, state, push)
  const claimed = method.claim?.(context, state)
  if (claimed) return claimed
  throw new AuthError(
    'method_failed',
    `${method.id} does not say how a person claims its credentials`,
  )
}

/** Which pushes a registration can take where it stands. */
export function accepts({ status, wait }: Registration, push: Push): boolean {
  if (status === 'running') return push.type === 'begin'
  if (status === 'ready') return push.type === 'claim'
  if (status !== 'waiting' || wait === undefined) return false
  switch (push.type) {
    case 'begin':
      return wait.for === 'consent'
    case 'model':
      return wait.for === 'model' || wait.for === 'consent'
    case 'person':
      return wait.for === 'person' || wait.for === 'mail'
    case 'mail':
      return wait.for === 'mail'
    case 'retry':
      return wait.for === 'retry' || wait.for === 'consent' || wait.for === 'mail'
    case 'tick':
      return true
    default:
      return false
  }
}

/** The action of a registration's step. Register and claim share one: the step is what is consented to. */
export function actionFor(
  registration: Registration,
  verb: Verb,
  effects: readonly Effect[],
): Promise<Action> {
  const { owner, offer, id, revision, firstTime } = registration
  return makeAction({
    verb: verb === 'claim' ? 'register' : verb,
    owner,
    service: offer.service,
    registration: id,
    method: offer.method,
    revision,
    effects,
    ...(firstTime ? { firstTime } : {}),
  })
}
