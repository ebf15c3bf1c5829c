import { sha256 } from '../encoding.ts'
import { AuthError } from '../errors.ts'
import type { PlanAnswer, Presentation, RequestPlan } from '../methods/method.ts'
import { parseJson } from '../net/json.ts'
import type { GuardedFetch } from '../net/transport.ts'
import { present } from '../use/signer.ts'
import { Secret } from '../vault/secret.ts'
import { visibleText } from './visible-text.ts'

/**
 * What became of a plan: an answer; or none, with what is known of the request itself; or `refused`,
 * because its address is none that may be spoken to.
 */
export type Sent = PlanAnswer | 'unsent' | 'unknown' | { readonly refused: string }

/** Sends one plan. This is where the secrets that a plan names are put into the request. */
export async function sendPlan(
  plan: RequestPlan,
  secrets: Readonly<Record<string, Secret>>,
  start: string,
  fetch: GuardedFetch,
  resent: number = 0,
): Promise<Sent> {
  const { method, url, json, jsonSecrets, form, authorization, basic, credential, redirects } =
    plan.request
  const held = (name: string): Secret => {
    const secret = secrets[name]
    if (secret === undefined) throw new AuthError('method_failed', `${plan.name} needs ${name}`)
    return secret
  }
  const open = (name: string): string => Secret.open(held(name))
  const headers: Record<string, string> = {
    accept: 'application/json, text/plain;q=0.9, */*;q=0.5',
  }
  if (authorization) {
    headers.authorization = `${authorization.scheme} ${open(authorization.secret)}`
  }
  if (basic) headers.authorization = basicOf(basic.user, open(basic.secret))
  const address = typeof url === 'string' ? url : open(url.secret)
  const target = credential && signed(address, credential, held(credential.secret), secrets)
  let body: string | undefined
  if (json !== undefined) {
    headers['content-type'] = 'application/json'
    const hidden = Object.entries(jsonSecrets ?? {}).map(([name, secret]) => [name, open(secret)])
    const whole =
      hidden.length === 0 ? json : { ...(json as object), ...Object.fromEntries(hidden) }
    body = JSON.stringify(whole)
  }
  if (form !== undefined) {
    headers['content-type'] = 'application/x-www-form-urlencoded'
    const fields = Object.entries(form).map(([name, value]) => {
      return [name, typeof value === 'string' ? value : open(value.secret)]
    })
    body = new URLSearchParams(fields).toString()
  }
  try {
    const answer = await fetch({
      url: target?.url ?? address,
      method,
      headers: { ...headers, ...target?.headers },
      ...(body === undefined ? {} : { body }),
      start,
      redirects: redirects ?? 'same-origin',
      name: plan.name,
      resent,
    })
    const retryAfterMs = retryAfter(answer.headers.get('retry-after'))
    const readable = answer.mediaType === 'text/html' ? visibleText(answer.text) : answer.text
    return {
      status: answer.status,
      url: answer.url === target?.url ? address : answer.url,
      text: answer.text,
      ...(readable.trim() === '' ? {} : { textHash: await sha256(readable) }),
      json: jsonOf(answer.text),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    }
  } catch (error) {
    if (!AuthError.isInstance(error)) throw error
    const refused = error.code === 'address_refused' || error.code === 'invalid_url'
    if (refused && error.details.sent === false) return { refused: error.message }
    return error.details.sent === false ? 'unsent' : 'unknown'
  }
}

/** Both are encoded as in a form first (RFC 6749 §2.3.1): each may hold a colon. */
function basicOf(user: string, password: string): string {
  const [name, secret] = [user, password].map((text) =>
    new URLSearchParams([['', text]]).toString().slice(1),
  )
  return `Basic ${btoa(`${name}:${secret}`)}`
}

/** Where a credential puts itself: the address to ask, and the headers beside the others. */
function signed(
  address: string,
  how: Presentation,
  secret: Secret,
  secrets: Readonly<Record<string, Secret>>,
): { readonly url: string; readonly headers: Readonly<Record<string, string>> } {
  const target = { url: new URL(address), headers: new Headers() }
  present(target, how, secret, secrets)
  return { url: target.url.href, headers: Object.fromEntries(target.headers) }
}

/** `Retry-After` (RFC 9110 §10.2.3) in milliseconds; a date or rubbish is undefined. */
export function retryAfter(value: string | null): number | undefined {
  if (value === null || !/^\d{1,6}$/.test(value.trim())) return undefined
  return Number(value) * 1000
}

function jsonOf(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}
