import type { State } from './state.ts'

/** Errors by which servers that do not know `resource` (RFC 8707) refuse a request that has it. */
const unknown = ['invalid_target', 'invalid_request']

/**
 * The same once more without `resource`, where that may be why it was refused; undefined where it is not.
 * `refused`: nothing would then confine the token to a service that the server is no part of. A grant
 * that was begun with it is confined by that.
 */
export function withoutResource(
  state: State,
  error: string | undefined,
  begun: boolean = state.step === 'poll' || state.step === 'exchange',
): State | 'refused' | undefined {
  if (!state.resource || !unknown.includes(error ?? '')) return undefined
  if (!state.plan.vouched && !begun) return 'refused'
  return { ...state, resource: false }
}
