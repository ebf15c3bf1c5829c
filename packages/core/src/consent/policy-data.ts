import { z } from 'zod'
import { parse } from '../inputs.ts'

import { registrableDomain } from '../net/url.ts'
import { hidesPath } from '../use/audience.ts'
import type { Effect } from './action.ts'
import { scopeToken } from './scopes.ts'

/** `allow`: without a person · `ask`: only with a person's yes · `deny`: not at all. */
export type PolicyDecision = 'allow' | 'ask' | 'deny'

type OneOrMore<T> = T | readonly T[]

/** What a rule speaks of. All that is given must fit; of a list, one entry. */
export interface PolicyCondition {
  /**
   * What the agent does; `register` covers claiming. A rule speaks of `revoke` only if it says so here or
   * in `effect`: what ends a credential is neither held up nor done in passing.
   */
  readonly verb?: OneOrMore<'discover' | 'register' | 'use' | 'revoke'>
  /** A registrable domain with all hosts below it (`vendor.example`), or one origin (`https://api.vendor.example`). */
  readonly service?: OneOrMore<string>
  /** Of `use` the HTTP method (`POST`); of `register` the way of registering (`telnyx-signup`). */
  readonly method?: OneOrMore<string>
  /** Of `use`: a path with all below it, by whole segments (`/v2/messages`). */
  readonly path?: OneOrMore<string>
  /** One kind of effect alone; without it a rule speaks of each effect of the call. */
  readonly effect?: OneOrMore<Effect['kind']>
  /**
   * Of `create-credential`, its scopes (`messages.read`). `allow` fits where each of them is listed here,
   * `ask` and `deny` where one is, or where nobody says which it will have.
   */
  readonly scopes?: OneOrMore<string>
}

/** One rule of a {@link Policy}. */
export interface PolicyRule {
  readonly decide: PolicyDecision
  /** At least one condition. */
  readonly when: PolicyCondition
  /** One line, told to the person who is asked and to the model that is refused. */
  readonly because?: string
}

/** Terms that somebody who may accepted in writing. They count for these texts at this service alone. */
export interface AcceptedTerms {
  /** As in a {@link PolicyCondition}. */
  readonly service: string
  /** Every text that the service may show, at its exact URL; with `textHash` only while it says what it said. */
  readonly texts: readonly { readonly url: string; readonly textHash?: string }[]
  /** Who accepted, for the record. */
  readonly acceptedBy: string
  /** The day, `2026-01-31`. */
  readonly date: string
}

/**
 * What is decided without asking, and what a person must be asked. Of all rules that speak of an
 * effect the strictest decides: `deny` before `ask` before `allow`, whatever their order; a call is
 * decided by the strictest of its effects. Where no rule speaks, what binds nobody is allowed and
 * everything else asks. What is allowed is written down like a person's consent.
 *
 * Not even `allow` accepts terms (only `terms` do), tells a service an address that the model proposed,
 * makes a second credential where a first may exist, or calls a mounted tool (`mount` has a list).
 *
 * @example
 * ```ts
 * const policy: Policy = {
 *   rules: [
 *     { decide: 'allow', when: { service: 'vendor.example', method: 'POST', path: '/v2/messages' } },
 *     { decide: 'deny', when: { effect: 'first-contact' }, because: 'only services that we know' },
 *   ],
 * }
 * ```
 */
export interface Policy {
  readonly rules?: readonly PolicyRule[]
  readonly terms?: readonly AcceptedTerms[]
  /**
   * `out-of-band`: only `auth.people` (the intake page, the application's own hook) takes a person's
   * yes or no; what a framework's pause brings back is refused. `any` by default.
   */
  readonly approval?: 'any' | 'out-of-band'
}

const verbs = ['discover', 'register', 'use', 'revoke'] as const
const kinds = [
  'accept-terms',
  'present-identity',
  'create-credential',
  'unsafe-request',
  'safe-request',
  'first-contact',
  'revoke',
] as const satisfies readonly Effect['kind'][]

/** An object of these fields; another field is named, and those that there are. */
function fields<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `there is no ${issue.keys.join(', ')}; allowed: ${Object.keys(shape).join(', ')}`
        : undefined,
  })
}

function oneOrMore<T extends string>(one: z.ZodType<T>) {
  const list = z.array(one).min(1, 'a list must not be empty').max(100)
  return z
    .unknown()
    .transform((value) => (Array.isArray(value) ? value : [value]))
    .pipe(list)
}

const service = z.string().transform((text, context) => {
  const named = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
  const url = URL.parse(named ? text : `https://${text}`)
  const bare = url && url.pathname === '/' && !url.search && !url.hash && !url.username
  if (url && bare && /^https?:$/.test(url.protocol)) {
    if (named) return url.origin
    const domain = registrableDomain(url.hostname)
    if (domain === url.hostname && url.port === '') return domain
  }
  context.issues.push({
    code: 'custom',
    input: text,
    message: 'name a registrable domain (vendor.example) or an origin (https://api.vendor.example)',
  })
  return z.NEVER
})
const method = z
  .string()
  .regex(
    /^(GET|HEAD|POST|PUT|PATCH|DELETE|(?!(get|head|post|put|patch|delete)$)[a-z][a-z0-9-]{0,59})$/,
    'name an HTTP method in capitals (GET, HEAD, POST, PUT, PATCH, DELETE) or a way of registering in small letters',
  )
const path = z
  .string()
  .max(2048)
  .refine(
    (text) => /^\/[^?#\s]*$/.test(text) && !hidesPath(text) && !/\/\.{1,2}(\/|$)/.test(text),
    'write it from the root (/v2/messages), without query, dots, "//", ";" or encoded slashes',
  )
const scope = z
  .string()
  .regex(
    scopeToken,
    'name one scope, as the service writes it (messages.read): no spaces, quotes or \\',
  )
const line = z
  .string()
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{1,200}$/u, 'must be one line of 1 to 200 characters')
const webUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
  .transform((text) => new URL(text).href)

const condition = fields({
  verb: oneOrMore(z.enum(verbs)).optional(),
  service: oneOrMore(service as unknown as z.ZodType<string>).optional(),
  method: oneOrMore(method).optional(),
  path: oneOrMore(path).optional(),
  effect: oneOrMore(z.enum(kinds)).optional(),
  scopes: oneOrMore(scope).optional(),
}).refine((when) => Object.values(when).some((one) => one !== undefined), {
  message: 'needs one condition at least: verb, service, method, path, effect or scopes',
})
const policy = fields({
  rules: z
    .array(
      fields({
        decide: z.enum(['allow', 'ask', 'deny']),
        when: condition,
        because: line.optional(),
      }),
    )
    .max(1000)
    .optional(),
  terms: z
    .array(
      fields({
        service,
        texts: z
          .array(
            fields({
              url: webUrl,
              textHash: z
                .string()
                .regex(/^[\w-]{43}$/, 'must be a SHA-256 in base64url, 43 characters')
                .optional(),
            }),
          )
          .min(1, 'name the texts that were accepted')
          .max(20),
        acceptedBy: line,
        date: z.iso.date('must be a day: 2026-01-31'),
      }),
    )
    .max(1000)
    .optional(),
  approval: z.enum(['any', 'out-of-band']).optional(),
})
const option = z.object({ policy }) as unknown as z.ZodType<{ policy: Policy }>

/** Checks a policy and writes its names in one form. Throws `invalid_input`. */
export function readPolicy(given: Policy): Policy {
  return parse(option, { policy: given }).policy
}

export function listOf<T extends string>(
  value: OneOrMore<T> | undefined,
): readonly T[] | undefined {
  return typeof value === 'string' || value === undefined ? value && [value] : value
}
