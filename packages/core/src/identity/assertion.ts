import { z } from 'zod'
import { fromBase64Url, sha256 } from '../encoding.ts'
import { AuthError } from '../errors.ts'
import type {
  AssertedIdentity,
  IdentityEvent,
  IdentityWish,
  Json,
  Transition,
} from '../methods/method.ts'
import type { Owner } from '../owner.ts'
import { Secret } from '../vault/secret.ts'

/** What an identity assertion is to say (ID-JAG: a JWT of type `oauth-id-jag+jwt`), and to whom. */
export interface IdentityRequest {
  readonly owner: Owner
  /** The service that the owner is to be let in at. */
  readonly service: string
  /** The one `aud`, exactly as it stands here: mostly the issuer of the service's authorization server. */
  readonly audience: string
  /** For the claim `resource`. */
  readonly resource: string
  /** What the service names as its scopes, where it does. */
  readonly scopes?: readonly string[]
  /** Seconds: the service refused an older login, so that `auth_time` must be no longer ago. */
  readonly maxAge?: number
}

/**
 * The assertion; nothing, where the owner has none for this service; or that the person has to sign in at
 * the identity provider first, with the page where there is one.
 */
export type IdentityAnswer = string | undefined | { readonly login: { readonly url?: string } }

/**
 * Gives a signed assertion of who the owner is. Each call gives a new one, with a `jti` of its own: each is
 * sent once. Called before a person is asked, whose consent names what the assertion says, and again
 * when it is sent.
 *
 * @example
 * const identityAssertion: IdentityAssertion = ({ owner, audience }) => idp.mint(owner.user, audience)
 */
export type IdentityAssertion = (
  request: IdentityRequest,
) => IdentityAnswer | Promise<IdentityAnswer>

export type Obtained =
  | { readonly secrets: Readonly<Record<string, Secret>> }
  | { readonly event: IdentityEvent }

/** Identity assertions for one run of one registration. None is sent twice, and none is written down. */
export class Assertions {
  readonly #source: IdentityAssertion | undefined
  readonly #about: { readonly owner: Owner; readonly service: string }
  readonly #given = new Set<string>()
  /** What was obtained and not yet sent. */
  #held:
    | { readonly wish: string; readonly secret: Secret; readonly event: IdentityEvent }
    | undefined

  constructor(
    source: IdentityAssertion | undefined,
    about: { readonly owner: Owner; readonly service: string },
  ) {
    this.#source = source
    this.#about = about
  }

  /** Obtains one; what the method is told of it has no part of the assertion but who it speaks of. */
  async #ask(wish: IdentityWish): Promise<IdentityEvent> {
    const { audience, resource, scopes, maxAge } = wish
    if (this.#source === undefined) return { type: 'identity', none: 'absent' }
    try {
      const given = await this.#source({
        ...this.#about,
        audience,
        resource,
        ...(scopes === undefined ? {} : { scopes }),
        ...(maxAge === undefined ? {} : { maxAge }),
      })
      if (given === undefined) return { type: 'identity', none: 'absent' }
      if (typeof given !== 'string') {
        return { type: 'identity', none: 'login', ...pageOf(given.login.url) }
      }
      const event = readAssertion(given, audience)
      const hash = await sha256(given)
      if (this.#given.has(hash)) throw unfit('it is the same as before')
      this.#given.add(hash)
      this.#held = { wish: keyOf(wish), secret: new Secret(given), event }
      return event
    } catch (error) {
      return { type: 'identity', none: 'failed', reason: reasonOf(error) }
    }
  }

  /**
   * What comes before a transition's next: the assertions that go with its requests, by the names of their
   * secrets, or what the method has to be told.
   */
  async before(next: Transition<Json>['next']): Promise<Obtained> {
    if ('identify' in next) return { event: await this.#ask(next.identify) }
    const secrets: Record<string, Secret> = {}
    for (const { asserts } of 'send' in next ? next.send : []) {
      if (asserts === undefined) continue
      const got = await this.#toSend(asserts.wish, asserts.who)
      if ('type' in got) return { event: got }
      secrets[asserts.secret] = got.secret
    }
    return { secrets }
  }

  /** One that speaks of whom the consent named; else what the method has to be told. */
  async #toSend(
    wish: IdentityWish,
    who: AssertedIdentity,
  ): Promise<{ readonly secret: Secret } | IdentityEvent> {
    if (this.#held?.wish !== keyOf(wish)) {
      const event = await this.#ask(wish)
      if ('none' in event) return event
    }
    const held = this.#held
    if (held === undefined || !('who' in held.event)) throw unfit('there is none')
    if (!samePerson(held.event.who, who)) return held.event
    this.#held = undefined
    return { secret: held.secret }
  }
}

function keyOf({ audience, maxAge }: IdentityWish): string {
  return JSON.stringify([audience, maxAge ?? null])
}

function samePerson(one: AssertedIdentity, other: AssertedIdentity): boolean {
  const parts = ({ issuer, subject, email, phone, name }: AssertedIdentity) =>
    JSON.stringify([issuer, subject, email, phone, name])
  return parts(one) === parts(other)
}

/** One line that can be shown to a person. */
const shown = z
  .string()
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{1,320}$/u)
  .optional()
  .catch(undefined)
const claimsSchema = z.looseObject({
  iss: z.string().min(1).max(2_048),
  sub: z.string().min(1).max(1_024),
  aud: z.union([z.string(), z.tuple([z.string()])]),
  email: shown,
  email_verified: z.unknown().optional(),
  phone_number: shown,
  name: shown,
  auth_time: z.number().optional().catch(undefined),
})

/**
 * Reads who a JWT speaks of. Its signature is for the service to check: this is what a person is shown.
 *
 * @throws AuthError `identity_failed` where it is no JWT, names nobody, or is for somebody else than `audience`
 */
function readAssertion(
  assertion: string,
  audience: string,
): Extract<IdentityEvent, { who: AssertedIdentity }> {
  const { success, data } = claimsSchema.safeParse(payloadOf(assertion))
  if (!success) throw unfit('it is no JWT with iss, sub and one aud')
  const { iss, sub, aud, email, phone_number: phone, name, auth_time: authTime } = data
  if ((typeof aud === 'string' ? aud : aud[0]) !== audience)
    throw unfit(`its aud is not ${audience}`)
  const who: AssertedIdentity = {
    issuer: plainly(iss),
    subject: plainly(sub),
    ...(email === undefined ? {} : { email }),
    ...(phone === undefined ? {} : { phone }),
    ...(name === undefined ? {} : { name }),
  }
  return { type: 'identity', who, ...(authTime === undefined ? {} : { authTime }) }
}

function payloadOf(assertion: string): unknown {
  const parts = assertion.split('.')
  if (parts.length !== 3 || !/^[\w-]+\.[\w-]+\.[\w-]*$/.test(assertion)) return undefined
  try {
    return JSON.parse(new TextDecoder().decode(fromBase64Url(parts[1] ?? '')))
  } catch {
    return undefined
  }
}

function plainly(text: string): string {
  const { data } = shown.safeParse(text)
  if (data === undefined) throw unfit('its iss or sub cannot be shown to a person')
  return data
}

function pageOf(address: string | undefined): { readonly url?: string } {
  const url = address === undefined ? null : URL.parse(address)
  return url && /^https?:$/.test(url.protocol) ? { url: url.href } : {}
}

function unfit(why: string): AuthError {
  return new AuthError(
    'identity_failed',
    `the application's identity assertion cannot be sent: ${why}`,
  )
}

/** What the application's code throws may say anything: only our own words are passed on. */
function reasonOf(error: unknown): string {
  if (AuthError.isInstance(error)) return error.message
  return 'the application failed to give an identity assertion'
}
