import type { Engine } from '../engine/engine.ts'
import { AuthError } from '../errors.ts'
import { type AuthEvent, codeOf } from '../events.ts'
import type { NetOptions } from '../net/transport.ts'
import { displayUrl } from '../net/url.ts'
import { sameSecrets } from '../vault/credential-secrets.ts'
import type { Credential, Credentials } from '../vault/credentials.ts'
import { demandedInVain } from './answer.ts'
import { type Sending, sendSigned } from './signer.ts'

/** How long before its end a credential is renewed: a request on its way must not outlive it. */
const earlyMs = 30_000

export interface FreshParts {
  readonly net: NetOptions
  readonly engine: Pick<Engine, 'refresh'>
  readonly credentials: Pick<Credentials, 'latest'>
  readonly now: () => number
  readonly emit: (event: AuthEvent) => void
}

/** An answer, and the credential that it was given to. */
export interface FreshAnswer {
  readonly response: Response
  readonly credential: Credential
}

/**
 * Sends a request with a credential that is renewed first where its end has come, and once where the
 * service refuses it. `request` makes the request, the second time for another secret, unless it is not
 * `repeatable`. One that is refused is read again first, since another process may have renewed it or
 * given it up. One that was renewed and was refused all the same is not renewed again, nor is one that
 * lacks scopes.
 *
 * @throws AuthError `secret_refused` where it was given up meanwhile, `refresh_failed` where it cannot be
 * renewed now (`details.sent` false: what was asked for was not done), or what `sendSigned` throws
 */
export async function sendFresh(
  parts: FreshParts,
  held: Credential,
  request: () => Request,
  leave: boolean,
  repeatable = true,
): Promise<FreshAnswer> {
  const { now, credentials } = parts
  let credential = held
  const { expires, refresh } = held
  const early = refresh !== undefined && expires !== undefined && expires - earlyMs <= now()
  if (early) credential = await renew(parts, held, expires > now())
  const sending = { name: 'use', sent: 0 }
  const response = await told(parts, credential, request(), leave, sending)
  if (response.status !== 401 || credential !== held) return { response, credential }
  const latest = await credentials.latest(held)
  if (latest && isGivenUp(latest)) return { response, credential: latest }
  if (latest === undefined || !repeatable) return { response, credential: held }
  const moved = !sameSecrets(latest, held)
  const lacks = demandedInVain(response.headers.get('www-authenticate') ?? '').length > 0
  if (!moved && (lacks || !mayRenew(latest))) return { response, credential: held }
  await response.body?.cancel()
  credential = moved ? latest : await renew(parts, latest, false)
  return { response: await told(parts, credential, request(), leave, sending), credential }
}

/** Sends it, and says that it was sent. */
async function told(
  { net, now, emit }: FreshParts,
  credential: Credential,
  request: Request,
  leave: boolean,
  sending: Sending,
): Promise<Response> {
  const { owner, service, handle } = credential
  const { method } = request
  const url = displayUrl(new URL(request.url))
  const about = { type: 'request', owner, service, credential: handle, method, url } as const
  try {
    const response = await sendSigned(net, credential, request, leave, {}, sending)
    emit({ ...about, at: now(), httpStatus: response.status })
    return response
  } catch (error) {
    if (sending.sent > 0) emit({ ...about, at: now(), code: codeOf(error) })
    throw error
  }
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
    if (refreshed.kind !== 'later') {
      const { shared } = held
      return unlessGivenUp({ ...refreshed.credential, ...(shared && { shared }) })
    }
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

function isGivenUp({ state }: Credential): boolean {
  return state !== 'active' && state !== 'invalid'
}

function unlessGivenUp(credential: Credential): Credential {
  const { handle, state } = credential
  if (!isGivenUp(credential)) return credential
  throw new AuthError('secret_refused', `the credential ${handle} is ${state}`, {
    details: { sent: false },
  })
}
