import type { LedgerEntry, SecretKind } from '../ledger.ts'
import { RateLimit } from '../rate-limit.ts'
import type { SandboxContext } from '../server.ts'
import { apiError } from './api-error.ts'
import type { Telnyx } from './state.ts'

export type Guard = (
  handle: (c: SandboxContext, credential: LedgerEntry) => Response | Promise<Response>,
  needs?: { kinds?: readonly SecretKind[]; scope?: 'full' | 'read' },
) => (c: SandboxContext) => Response | Promise<Response>

/** Lets only requests with a good credential through: 401, then 403, then 429. */
export function createGuard({ server, options }: Telnyx): Guard {
  const { ledger, clock } = server
  const perKey = new RateLimit(clock, options.limits?.requestsPerKey ?? 1000, 60_000)
  return (handle, { kinds = ['api_key'], scope = 'read' } = {}) =>
    (c) => {
      const credential = ledger.findBearer(c.req.header('authorization'))
      if (!credential || !kinds.includes(credential.kind) || !ledger.isGood(credential)) {
        return apiError(c, 'unauthorized', 'The credential is missing, unknown or deleted.')
      }
      ledger.markUsed(credential)
      if (scope === 'full' && credential.scope === 'read') {
        return apiError(c, 'forbidden', 'This key may read only.')
      }
      const wait = perKey.take(credential.id)
      if (wait !== undefined) {
        return apiError(c, 'limited', 'Too many requests with this key.', {
          'retry-after': String(wait),
        })
      }
      return handle(c, credential)
    }
}
