import { AuthError } from '../errors.ts'
import { displayUrl } from '../net/url.ts'
import type { Owner } from '../owner.ts'
import type { Credential, Credentials } from '../vault/credentials.ts'
import { covers } from './audience.ts'
import { type FreshParts, sendFresh } from './fresh.ts'
import type { Redactor } from './redactor.ts'

/** Media types of text; one that is not said may be text. */
export const textual: RegExp =
  /^$|^(text\/|multipart\/|application\/([\w.+-]*\+)?(json|xml|json-seq|jsonl|ndjson|x-ndjson|yaml|javascript|graphql-response|x-www-form-urlencoded))/i

export interface FetchParts extends FreshParts {
  readonly credentials: Credentials
  readonly redactor: () => Promise<Redactor>
}

/** Which credential a request to this URL carries; throws where there is none. */
export type Choice = (url: URL) => Promise<Credential>

/**
 * A `fetch` that carries a credential. It takes what `fetch` takes, puts the credential in the place of
 * any placeholder, and takes the owner's secrets out of textual answers as they stream by. A 307 or 308
 * of a request with a body is refused, since the body is gone by then. An aborted request rejects with
 * the signal's reason.
 *
 * @throws AuthError `redirect_refused`, what the choice throws, or what the transport throws
 */
export function authorisedFetch(parts: FetchParts, choose: Choice): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    request.signal.throwIfAborted()
    const held = await choose(new URL(request.url))
    const known = await parts.redactor()
    // A body can be read once, and is needed again where the credential is renewed in between.
    const first = held.refresh && request.body ? request.clone() : request
    const repeatable = first !== request || request.body === null
    let attempts = 0
    const attempt = () => (attempts++ === 0 ? first : request)
    try {
      const { response, credential } = await sendFresh(parts, held, attempt, true, repeatable)
      await parts.credentials.note(credential, response.status, parts.now())
      const redactor = credential === held ? known : await parts.redactor()
      return redacted(response, redactor, request.url)
    } catch (error) {
      // Whoever calls `fetch` tells an abort of their own by this very error.
      throw request.signal.aborted ? request.signal.reason : error
    }
  }
}

/**
 * The owner's best credential for a service among those that may go to the URL.
 *
 * @throws AuthError `not_found`, `outside_audience`
 */
export async function chooseCredential(
  credentials: Credentials,
  owner: Owner,
  service: string,
  url: URL,
): Promise<Credential> {
  const all = await credentials.forUse(owner, service)
  const held = all.filter((one) => one.parent === undefined)
  const usable = held.filter((one) => one.state === 'active' || one.state === 'invalid')
  const [first] = usable
  if (first === undefined) {
    const state = held[0]?.state
    throw new AuthError(
      'not_found',
      state ? `the credential for ${service} is ${state}` : `there is no credential for ${service}`,
    )
  }
  const fitting = usable.find((one) => covers(one.audience, url))
  if (fitting) return fitting
  throw new AuthError(
    'outside_audience',
    `${displayUrl(url)} is outside ${first.audience.bases.join(', ')}, where the credential may go`,
  )
}

function redacted(response: Response, redactor: Redactor, asked: string): Response {
  const { status } = response
  const clean = (text: string) => redactor.redact(text).text
  const headers = new Headers()
  for (const [name, value] of response.headers) headers.append(name, clean(value))
  const type = headers.get('content-type') ?? ''
  let body = response.body
  if (body !== null && textual.test(type)) {
    headers.delete('content-length')
    body = body.pipeThrough(
      redactor.stream() as TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>,
    )
  }
  const init = { status, statusText: clean(response.statusText), headers }
  const bodyless = status === 204 || status === 205 || status === 304
  const answer = new Response(bodyless ? null : body, init)
  const url = withoutHash(response.url || asked)
  Object.defineProperty(answer, 'url', { value: clean(url) })
  Object.defineProperty(answer, 'redirected', { value: url !== withoutHash(asked) })
  return answer
}

function withoutHash(url: string): string {
  return url.split('#', 1)[0] ?? url
}
