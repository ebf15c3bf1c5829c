import type { Action } from '../consent/action.ts'
import type { Consents } from '../consent/consents.ts'
import type { Call } from '../consent/ledger.ts'
import { needsConsent } from '../engine/outcome-of.ts'
import { retryAfter } from '../engine/send.ts'
import { AuthError } from '../errors.ts'
import type { NetOptions } from '../net/transport.ts'
import type { Outcome, RefusalCode } from '../outcome.ts'
import type { Owner } from '../owner.ts'
import { type Credential, Credentials } from '../vault/credentials.ts'
import type { Secret } from '../vault/secret.ts'
import { type CleanAnswer, cleanAnswer, errorsOf } from './answer.ts'
import type { Redactor } from './redactor.ts'
import { type PreparedUse, prepareUse, type UseInput, useAction } from './request.ts'
import { sendSigned } from './signer.ts'

const timeoutMs = 30_000
/** Characters of a body that a model is shown. */
const shownChars = 6_000
/** New secrets of one answer that are kept; the others are only taken out. */
const maxCaptured = 20

export interface UseParts {
  readonly net: NetOptions
  readonly credentials: Credentials
  readonly consents: Consents
  readonly now: () => number
}

/** What came of a request. `open`: it surely changed nothing, so that its consent may be used again. */
export interface Done {
  readonly outcome: Outcome
  readonly open: boolean
}

/** Sends one request with a credential for a model, and makes the answer safe to show. */
export async function useCredential(
  parts: UseParts,
  owner: Owner,
  credential: Credential,
  input: UseInput,
  redactor: Redactor,
  call: Call,
): Promise<Outcome> {
  const about = { service: credential.service } as const
  const stopped = unusable(credential)
  if (stopped) return stopped
  const prepared = await prepareUse(input, credential, (text) => redactor.redact(text).found > 0)
  if ('code' in prepared) {
    return { ...about, ...prepared, status: 'refused', next: 'auth_use with what the rule allows' }
  }
  const action = await useAction(owner, credential, prepared)
  return withConsent(
    parts.consents,
    parts.consents.needed(action),
    call,
    () => lost(credential, prepared),
    () => send(parts, credential, prepared, redactor),
  )
}

/**
 * Does a thing under the consent for its action, which is used up first, and writes down what came of
 * it. Without an action there is nothing to agree to. `lost`: this call used the consent before, and
 * what came of it is not known.
 */
export async function withConsent(
  consents: Consents,
  action: Action | undefined,
  call: Call,
  lost: () => Outcome,
  act: () => Promise<Done>,
): Promise<Outcome> {
  if (action === undefined) return (await act()).outcome
  const standing = await consents.redeem(action, call)
  if (standing.kind === 'lost') return lost()
  if (standing.kind !== 'open') return needsConsent(standing, action, consents)
  const { outcome, open } = await act()
  await consents.ledger.settle(standing.consent, outcome, open)
  return outcome
}

async function send(
  parts: UseParts,
  credential: Credential,
  prepared: PreparedUse,
  redactor: Redactor,
): Promise<Done> {
  const { url, method, headers, body, effects } = prepared
  const signal = AbortSignal.timeout(timeoutMs)
  let clean: CleanAnswer
  try {
    const request = new Request(url, { method, headers, body: body ?? null, signal })
    const response = await sendSigned(parts.net, credential, request, false)
    await parts.credentials.note(credential, response.status, parts.now())
    clean = await cleanAnswer(response, redactor, signal)
  } catch (error) {
    const onLoss = () => lost(credential, prepared)
    return failed(credential, effects.length > 0 ? onLoss : undefined, error, signal.aborted)
  }
  const refused = refusedBy(credential, clean, effects.length > 0, parts.now())
  if (refused) return { outcome: refused, open: clean.status < 500 }
  return { outcome: await answered(parts, credential, clean), open: false }
}

/** The refusal that an answer is, where it is one. */
export function refusedBy(
  credential: Credential,
  clean: CleanAnswer,
  binds: boolean,
  now: number,
): Outcome | undefined {
  const refused = refusal(credential, clean.status, binds)
  if (refused === undefined) return undefined
  const errors = errorsOf(clean.text)
  const wait = retryAfter(clean.headers['retry-after'] ?? null)
  const again = clean.status === 429 || (clean.status === 503 && wait !== undefined)
  return {
    ...refused,
    httpStatus: clean.status,
    ...(errors.length > 0 ? { errors } : {}),
    ...(again ? { notBefore: now + (wait ?? 60_000) } : {}),
  }
}

/** An answer that is no refusal, cut to what a model is shown; new secrets in it go into the vault. */
export async function answered(
  parts: UseParts,
  credential: Credential,
  clean: CleanAnswer,
): Promise<Outcome> {
  const { status, headers, text, truncated, redacted, unseen } = clean
  const captured: string[] = []
  for (const { field, secret } of unseen.slice(0, maxCaptured)) {
    captured.push(await capture(parts, credential, field, secret))
  }
  const { service, handle } = credential
  return {
    status: 'answered',
    service,
    credential: handle,
    answer: {
      status,
      headers,
      body: text.slice(0, shownChars),
      truncated: truncated || text.length > shownChars,
      redacted,
      captured,
    },
    next:
      status >= 300 && status !== 304
        ? 'auth_use with the path of the location, if it is below where the credential may go; it was not followed'
        : `auth_use again, or auth_revoke { credential: "${handle}" } when it is not needed any more`,
  }
}

/**
 * A request without an answer. What a service or the network may have put into the error is not quoted.
 * `lost` says what then holds of a request that binds somebody.
 */
export function failed(
  credential: Credential,
  lost: (() => Outcome) | undefined,
  error: unknown,
  timedOut: boolean,
): Done {
  if (!AuthError.isInstance(error) && !timedOut) throw error
  const code = AuthError.isInstance(error) ? error.code : 'response_timeout'
  const sent = !AuthError.isInstance(error) || error.details.sent !== false
  if (sent && lost) return { outcome: lost(), open: false }
  const { service } = credential
  if (code === 'secret_refused') {
    const reason = 'The credential cannot be sent in a header.'
    return { outcome: { ...newOne(service), code: 'credential_invalid', reason }, open: true }
  }
  const blocked = ['outside_audience', 'address_refused', 'invalid_url', 'redirect_refused']
  if (blocked.includes(code)) {
    const outcome: Outcome = {
      status: 'refused',
      service,
      code: code === 'outside_audience' ? code : 'request_refused',
      reason: sent
        ? 'The service redirects to where nothing is sent.'
        : 'Nothing is sent to this address.',
      next: 'auth_use with another path',
    }
    return { outcome, open: true }
  }
  const outcome: Outcome = {
    status: 'refused',
    service,
    code: 'service_unreachable',
    reason: 'The service did not answer; nothing is known to have been done.',
    next: 'the same call again, later',
  }
  return { outcome, open: true }
}

/** A new secret in an answer goes into the vault, bound to the same audience. */
async function capture(
  parts: UseParts,
  parent: Credential,
  field: string,
  secret: Secret,
): Promise<string> {
  const { owner, service, start, header, prefix, audience, revocation } = parent
  const kept = await parts.credentials.add({
    handle: Credentials.handle(),
    owner,
    service,
    start,
    kind: field,
    method: 'captured',
    header,
    prefix,
    secret,
    audience,
    state: 'active',
    parent: parent.handle,
    ...(revocation === undefined ? {} : { revocation }),
    issuedAt: parts.now(),
    revision: 0,
  })
  return kept.handle
}

/** What a status of the service means, where it is a refusal. */
function refusal(
  { service, handle }: Credential,
  status: number,
  binds: boolean,
): Extract<Outcome, { status: 'refused' }> | undefined {
  const say = (code: RefusalCode, reason: string, next: string) =>
    ({ status: 'refused', service, code, reason, next }) as const
  if (status === 401) {
    return say(
      'credential_invalid',
      'The service does not accept the credential (any more).',
      `auth_register { service: "${service}" } gets a new one, auth_revoke { credential: "${handle}" } gives this one up`,
    )
  }
  if (status === 403) {
    return say(
      'permission_denied',
      'The service does not allow this with this credential.',
      'another request, or tell the person that the credential needs more rights there',
    )
  }
  if (status === 429) {
    return say('rate_limited', 'The service limits requests.', 'the same call again, later')
  }
  if (status >= 500 && binds) {
    return say(
      'service_failed',
      'The service failed; whether it was done is not known.',
      'auth_use with a GET that shows whether it was done',
    )
  }
  if (status >= 500) {
    return say('service_failed', 'The service failed.', 'the same call again, later')
  }
  if (status >= 400) {
    return say(
      'service_refused',
      'The service refused the request.',
      'auth_use with a corrected request',
    )
  }
  return undefined
}

/** A credential that is being revoked or is gone signs nothing. */
export function unusable({ handle, state, service, secret }: Credential): Outcome | undefined {
  if ((state === 'active' || state === 'invalid') && secret) return undefined
  const is = state === 'revoking' ? 'being revoked' : state
  return {
    ...newOne(service),
    code: 'credential_revoked',
    reason: `The credential ${handle} is ${is} and is not used any more.`,
  }
}

function newOne(service: string) {
  const next = `auth_register { service: "${service}" } gets a new one`
  return { status: 'refused', service, next } as const
}

function lost(credential: Credential, { method, url }: PreparedUse): Outcome {
  return {
    status: 'uncertain',
    service: credential.service,
    request: `${method} ${url.origin}${url.pathname}`,
    check:
      'The answer was lost: it may or may not have been done. Look with a GET before trying again.',
    orphans: [],
    next: 'auth_use with a GET that shows whether it was done',
  }
}
