import type { Engine } from '../engine/engine.ts'
import { AuthError } from '../errors.ts'
import type { NetOptions } from '../net/transport.ts'
import type { Credential } from '../vault/credentials.ts'
import { demandedInVain } from './answer.ts'
import { sendSigned } from './signer.ts'

/** How long before its end a credential is renewed: a request on its way must not outlive it. */
const earlyMs = 30_000

export interface FreshParts {
  readonly net: NetOptions
  readonly engine: Pick<Engine, 'refresh'>
  readonly now: () => number
}

/** An answer, and the credential that it was given to. */
export interface FreshAnswer {
  readonly response: Response
  readonly credential: Credential
}

/**
 * Sends a request with a credential that is renewed first where its end has come, and once where the
 * service refuses it. `request` makes the request, the second time for another secret. One that was
 * renewed and was refused all the same is not renewed again, nor is one that lacks scopes.
 *
 * @throws AuthError `refresh_failed` where it cannot be renewed now (`details.sent` false: what was
 * asked for was not done), or what `sendSigned` throws
 */
export async function sendFresh(
  parts: FreshParts,
  held: Credential,
  request: () => Request,
  leave: boolean,
): Promise<FreshAnswer> {
  const { net, now } = parts
  let credential = held
  const { expires, refresh } = held
  const early = refresh !== undefined && expires !== undefined && expires - earlyMs <= now()
  if (early) credential = await renew(parts, held, expires > now())
  let response = await sendSigned(net, credential, request(), leave)
  const renews = response.status === 401 && credential === held && mayRenew(held)
  if (renews && demandedInVain(response.headers.get('www-authenticate') ?? '').length === 0) {
    await response.body?.cancel()
    credential = await renew(parts, held, false)
    response = await sendSigned(net, credential, request(), leave)
  }
  return { response, credential }
}

async function renew(
  { engine }: FreshParts,
  held: Credential,
  stillGood: boolean,
): Promise<Credential> {
  let notBefore: number | undefined
  let cause: unknown
  try {
    const refreshed = await engine.refresh(held)
    if (refreshed.kind !== 'later') return refreshed.credential
    notBefore = refreshed.notBefore
  } catch (error) {
    // What was asked for was not sent, whatever the store had to do with it.
    if (!AuthError.isInstance(error) || error.code !== 'store_failed') throw error
    cause = error
  }
  if (stillGood) return held
  throw new AuthError('refresh_failed', 'the credential could not be renewed yet; it is kept', {
    cause,
    details: { sent: false, ...(notBefore === undefined ? {} : { notBefore }) },
  })
}

/** A secret that was got by renewing and was never accepted would be renewed for ever. */
function mayRenew({ refresh, generation = 0, accepted = -1 }: Credential): boolean {
  return refresh !== undefined && (generation === 0 || accepted === generation)
}
