import { scopeToken } from '../../consent/scopes.ts'
import type { MethodContext } from '../method.ts'
import type { Plan } from './state.ts'

const maxScopes = 100

/**
 * What is asked for: what the service demands, or what the credential whose place is to be taken had and
 * lacked; cut to what the operator allows. Undefined where that leaves out something that was lacking.
 */
export function scopesFor(
  { scopes, refresh }: Plan,
  { had, lacks }: NonNullable<MethodContext['scopes']> = { had: [], lacks: [] },
  most: readonly string[] | undefined,
): readonly string[] | undefined {
  const allowed = (scope: string) =>
    scopeToken.test(scope) && (most === undefined || most.includes(scope))
  if (!lacks.every(allowed)) return undefined
  const before = [...had, ...lacks]
  const wanted = (before.length === 0 ? scopes : before).filter(allowed)
  // A refresh token spares the person the next time.
  const offline = refresh === 'offline' ? ['offline_access'].filter(allowed) : []
  return [...new Set([...wanted, ...offline])].slice(0, maxScopes)
}
