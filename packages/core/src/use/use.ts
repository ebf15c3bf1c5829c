import type { Action } from '../consent/action.ts'
import type { Consents } from '../consent/consents.ts'
import type { Call } from '../consent/ledger.ts'
import { claimCall, needsConsent } from '../engine/outcome-of.ts'
import { retryAfter } from '../engine/send.ts'
import { AuthError } from '../errors.ts'
import type { Outcome } from '../outcome.ts'
import type { Owner } from '../owner.ts'
import { type Credential, Credentials, holderOf, presentationOf } from '../vault/credentials.ts'
import type { Secret } from '../vault/secret.ts'
import { surely } from '../vault/surely.ts'
import { type CleanAnswer, demandedInVain, errorsOf, missingScopes } from './answer.ts'
import { type FreshParts, sendFresh } from './fresh.ts'
import { type PaymentHook, readOrPay } from './paid.ts'
import type { PaymentTerms } from './payment.ts'
import type { Redactor, UnseenSecret } from './redactor.ts'
import { refusal } from './refusal.ts'
import { type PreparedUse, prepareUse, type UseInput, useAction } from './request.ts'

const timeoutMs = 30_000
/** Characters of a body that a model is shown. */
const shownChars = 6_000

export interface UseParts extends FreshParts {
  readonly onPaymentRequired?: PaymentHook | undefined
  readonly credentials: Credentials
  readonly redactor: () => Promise<Redactor>
  readonly consents: Consents
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
  call: Call,
): Promise<Outcome> {
  const about = { service: credential.service } as const
  const stopped = unusable(credential)
  if (stopped) return stopped
  const redactor = await parts.redactor()
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
  try {
    await consents.ledger.settle(standing.consent, outcome, open)
  } catch (error) {
    // What was done must not be lost over a note of it: the same call again is told that it is in doubt.
    if (!AuthError.isInstance(error)) throw error
  }
  return outcome
}

async function send(
  parts: UseParts,
  credential: Credential,
  prepared: PreparedUse,
  redactor: Redactor,
): Promise<Done> {
  const { url, method, headers, body, effects } = prepared
  let signal = AbortSignal.timeout(timeoutMs)
  const request = () => {
    signal = AbortSignal.timeout(timeoutMs)
    return new Request(url, { method, headers, body: body ?? null, signal })
  }
  let used = credential
  let status: number | undefined
  let clean: CleanAnswer
  let payment: readonly PaymentTerms[] = []
  try {
    const sent = await sendFresh(parts, credential, request, false)
    used = sent.credential
    status = sent.response.status
    const knowing = used === credential ? redactor : await parts.redactor()
    const said = await readOrPay(parts, used, prepared, sent.response, knowing, request)
    ;({ clean, payment } = said)
    status = clean.status
  } catch (error) {
    if (status !== undefined) await parts.credentials.note(used, status, parts.now())
    const onLoss = () => lost(credential, prepared)
    return failed(credential, effects.length > 0 ? onLoss : undefined, error, signal.aborted)
  }
  const gone = clean.status === 401 ? unusable(used) : undefined
  const refused = gone ?? refusedBy(used, clean, effects.length > 0, parts.now())
  await noteLacking(parts, used, clean)
  const priced = refused && payment.length > 0 ? { ...refused, payment } : refused
  const outcome = priced ?? (await answered(parts, credential, clean, asked(prepared)))
  await parts.credentials.note(used, clean.status, parts.now())
  return { outcome, open: refused !== undefined && clean.status < 500 }
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
  const lacks = lacking(clean)
  const errors = [...missingScopes(lacks), ...errorsOf(clean.text)]
  const wait = retryAfter(clean.headers['retry-after'] ?? null)
  const again = clean.status === 429 || (clean.status === 503 && wait !== undefined)
  const claim = [401, 403].includes(clean.status) ? claimCall(credential, now) : undefined
  return {
    ...refused,
    ...(claim === undefined ? {} : { next: `${claim}; or ${refused.next}` }),
    ...stepUp(credential, lacks),
    httpStatus: clean.status,
    ...(errors.length > 0 ? { errors } : {}),
    ...(again ? { notBefore: now + (wait ?? 60_000) } : {}),
  }
}

/** The scopes for want of which the service refused (RFC 6750 §3.1). */
function lacking({ status, headers }: CleanAnswer): readonly string[] {
  return status === 401 || status === 403 ? demandedInVain(headers['www-authenticate'] ?? '') : []
}

/** Writes down what was lacking, so that the credential that takes its place is asked for with it. */
export async function noteLacking(
  { credentials }: Pick<UseParts, 'credentials'>,
  used: Credential,
  clean: CleanAnswer,
): Promise<void> {
  const lacks = lacking(clean)
  if (lacks.length > 0 && used.scopes) await credentials.lacking(used, lacks)
}

/** How a credential comes to the rights that it lacks, once: what was asked for in vain is not asked for again. */
function stepUp({ scopes, handle }: Credential, lacks: readonly string[]) {
  if (scopes === undefined || lacks.length === 0) return {}
  const code = 'permission_denied' as const
  if (lacks.every((scope) => scopes.asked.includes(scope))) {
    const reason =
      'The credential lacks rights that were asked for and that the service did not give.'
    return { code, reason, next: 'another request, or tell the person; asking again is of no use' }
  }
  return {
    code,
    reason: 'The credential lacks rights that this request needs.',
    next: `auth_revoke { credential: "${handle}", replace: true } asks a person for one with these rights; the one held stays until that works`,
  }
}

/**
 * An answer that is no refusal, cut to what a model is shown. New secrets in it go into the vault before
 * anything else; where the store fails the outcome says what may exist at the service and is not held.
 */
export async function answered(
  parts: UseParts,
  credential: Credential,
  clean: CleanAnswer,
  request: string,
): Promise<Outcome> {
  const { status, headers, text, truncated, redacted, unseen } = clean
  const { service, handle } = credential
  const captured: string[] = []
  for (const [at, { field, secret }] of unseen.entries()) {
    try {
      captured.push(await surely(() => capture(parts, credential, field, secret)))
    } catch {
      return notKept(credential, request, unseen.slice(at), parts.now())
    }
  }
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
    const reason = 'The credential is given up, or cannot be sent in a header.'
    return { outcome: { ...newOne(service), code: 'credential_invalid', reason }, open: true }
  }
  if (code === 'refresh_failed') {
    const outcome: Outcome = {
      status: 'refused',
      service,
      code: 'service_unreachable',
      reason: 'The credential has to be renewed, and that did not work yet; it is kept.',
      ...notBeforeOf(error),
      next: 'the same call again, later',
    }
    return { outcome, open: true }
  }
  const blocked = ['outside_audience', 'address_refused', 'invalid_url', 'redirect_refused']
  if (blocked.includes(code)) {
    const outcome: Outcome = {
      status: 'refused',
      service,
      code: code === 'outside_audience' ? code : 'request_refused',
      reason: sent
        ? 'The service redirects to an address to which this credential may not go. Nothing was sent there.'
        : 'This credential may not go to that address. Nothing was sent.',
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

/** The service made something that could not be stored: only a person can find and delete it there. */
function notKept(
  { service, revocation }: Credential,
  request: string,
  unseen: readonly UnseenSecret[],
  at: number,
): Outcome {
  const url = revocation === undefined ? {} : { url: revocation.url }
  return {
    status: 'uncertain',
    service,
    request,
    check:
      'It was answered with a new secret, which could not be stored and is lost. Do not ask for another one before a person has looked at the service.',
    orphans: unseen.map(({ field }) => ({
      what: `a secret that the service calls ${field}`,
      request,
      ...url,
      at,
    })),
    next: 'tell the person, who can delete at the service what is not held',
  }
}

function notBeforeOf(error: unknown): { notBefore?: number } {
  const notBefore = AuthError.isInstance(error) ? error.details.notBefore : undefined
  return typeof notBefore === 'number' ? { notBefore } : {}
}

/** A new secret in an answer goes into the vault, bound to the same audience. */
async function capture(
  parts: UseParts,
  parent: Credential,
  field: string,
  secret: Secret,
): Promise<string> {
  const { service, start, secrets, audience, probe, revocation } = parent
  const one = (handle: string): Credential => ({
    handle,
    owner: holderOf(parent),
    service,
    start,
    kind: field,
    method: 'captured',
    ...presentationOf(parent),
    secret,
    ...(secrets === undefined ? {} : { secrets }),
    audience,
    state: 'active',
    parent: parent.handle,
    ...(probe === undefined ? {} : { probe }),
    ...(revocation === undefined ? {} : { revocation }),
    issuedAt: parts.now(),
    revision: 0,
  })
  const { credentials } = parts
  const kept = await credentials.add(one(await Credentials.capturedHandle(parent, secret)))
  // Given up before and in an answer again: the record of that stays.
  const held = kept.secret ? kept : await credentials.add(one(Credentials.handle()))
  return held.handle
}

/** A credential that is being revoked or is gone signs nothing. */
export function unusable({
  handle,
  state,
  service,
  secret,
  kind,
  shared,
}: Credential): Outcome | undefined {
  if (shared && !shared.verbs.includes('use')) return notShared(service, 'for use')
  if ((state === 'active' || state === 'invalid') && (secret || kind === 'none')) return undefined
  const is = state === 'revoking' ? 'being revoked' : state
  return {
    ...newOne(service),
    code: 'credential_revoked',
    reason: `The credential ${handle} is ${is} and is not used any more.`,
  }
}

/** What the application has not given with another owner's credential. */
export function notShared(service: string, what: string): Outcome {
  return {
    status: 'refused',
    service,
    code: 'policy_denied',
    reason: `The credential is another owner's and is not shared ${what}.`,
    next: 'tell the person that its owner can do this, or have it shared',
  }
}

function newOne(service: string) {
  const next = `auth_register { service: "${service}" } gets a new one`
  return { status: 'refused', service, next } as const
}

/** A request without its query. */
function asked({ method, url }: PreparedUse): string {
  return `${method} ${url.origin}${url.pathname}`
}

function lost(credential: Credential, prepared: PreparedUse): Outcome {
  return {
    status: 'uncertain',
    service: credential.service,
    request: asked(prepared),
    check:
      'The answer was lost: it may or may not have been done. Look with a GET before trying again.',
    orphans: [],
    next: 'auth_use with a GET that shows whether it was done',
  }
}
