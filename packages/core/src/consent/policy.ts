import { registrableDomain } from '../net/url.ts'
import { hidesPath } from '../use/audience.ts'
import type { Action, Effect, Verb } from './action.ts'
import {
  type AcceptedTerms,
  listOf,
  type Policy,
  type PolicyCondition,
  type PolicyDecision,
  type PolicyRule,
  readPolicy,
} from './policy-data.ts'

/** What is known of a call before anything is sent. */
export interface CallFacts {
  readonly verb: Verb
  readonly service: string
  /** The method of registering. */
  readonly method?: string
}

/** What the policy says to an action, and what of it says so. */
export interface Ruling {
  readonly decision: PolicyDecision
  /** `policy`: the rule of that index · `terms`: accepted in writing · `default`: no rule says anything. */
  readonly by: 'policy' | 'terms' | 'default'
  /** Index into the policy's rules. */
  readonly rule?: number
  readonly because?: string
}

/** What a call would meet, as `session.explain` tells it. */
export interface Explanation extends Ruling {
  /** What is decided about; absent where the call binds nobody, as far as is known by now. */
  readonly action?: Action
}

interface Facts extends CallFacts {
  readonly effect?: Effect
}

const rank = { allow: 0, ask: 1, deny: 2 } as const
/** What binds nobody; asked about or denied only where a rule says so. */
const free: readonly Effect['kind'][] = ['safe-request', 'first-contact']

/** Says what a policy decides. Pure: no clock, no network. */
export class Rules {
  readonly outOfBand: boolean
  readonly #rules: readonly PolicyRule[]
  readonly #terms: readonly AcceptedTerms[]

  /** @throws AuthError `invalid_input`, naming the place, the fault and what is allowed there */
  constructor(policy: Policy = {}) {
    const { rules = [], terms = [], approval = 'any' } = readPolicy(policy)
    this.#rules = rules
    this.#terms = terms
    this.outOfBand = approval === 'out-of-band'
  }

  /** The strictest ruling on any of its effects. */
  judge(action: Action): Ruling {
    return this.#onEach(action).reduce((one, other) => {
      return rank[other.decision] > rank[one.decision] ? other : one
    })
  }

  /** The rule by which a call is denied whatever it would do. */
  denies(call: CallFacts): Ruling | undefined {
    return this.#first('deny', call)
  }

  /** Whether a rule denies such an effect of a call at its service, whatever else is known of it. */
  deniesEffect(call: CallFacts, kind: Effect['kind']): boolean {
    return this.#rules.some(({ decide, when }) => {
      const kinds = listOf(when.effect)
      if (decide !== 'deny' || !kinds?.includes(kind)) return false
      const { effect: _, ...rest } = when
      return covers({ decide, when: rest }, call)
    })
  }

  /** Whether a rule or an entry of the terms speaks of this very service. */
  names(url: string): boolean {
    const named = [...this.#rules.map(({ when }) => when), ...this.#terms]
    return named.some(({ service }) => service && isAmong(service, url))
  }

  /** Who agreed to an action that is allowed, for the record. */
  approver(action: Action): string {
    const words = this.#onEach(action).flatMap(({ by, rule, because }) => {
      if (by === 'default') return []
      if (by === 'terms') return because ?? []
      return `rule ${rule}${because ? `, ${because}` : ''}`
    })
    return `policy: ${[...new Set(words)].join('; ')}`
  }

  #onEach(action: Action): readonly [Ruling, ...Ruling[]] {
    const [first, ...more] = action.effects.map((effect) => this.#on(action, effect))
    return first ? [first, ...more] : [{ decision: 'allow', by: 'default' }]
  }

  #on(action: Action, effect: Effect): Ruling {
    const facts: Facts = { ...action, effect }
    const strict = this.#first('deny', facts) ?? this.#first('ask', facts)
    if (strict) return strict
    if (effect.kind === 'accept-terms') return this.#onTerms(action.service, effect.texts)
    const allowed = this.#first('allow', facts)
    const limit = allowed && beyondRules(effect)
    if (limit) return { decision: 'ask', by: 'default', because: limit }
    const decision = free.includes(effect.kind) ? 'allow' : 'ask'
    return allowed ?? { decision, by: 'default' }
  }

  #onTerms(service: string, texts: Extract<Effect, { kind: 'accept-terms' }>['texts']): Ruling {
    const entry = this.#terms.find(
      (one) =>
        isAmong(one.service, service) &&
        texts.every(({ url, textHash }) =>
          one.texts.some((known) => {
            const { textHash: hash = textHash } = known
            return known.url === URL.parse(url)?.href && hash === textHash
          }),
        ),
    )
    if (entry === undefined) return { decision: 'ask', by: 'default' }
    const because = `terms accepted in writing by ${entry.acceptedBy} on ${entry.date}`
    return { decision: 'allow', by: 'terms', because }
  }

  #first(decide: PolicyDecision, facts: Facts): Ruling | undefined {
    const rule = this.#rules.findIndex((one) => one.decide === decide && covers(one, facts))
    if (rule < 0) return undefined
    const { because, when } = this.#rules[rule] as PolicyRule
    const unknown = when.scopes && scopesOf(facts) === undefined && 'its scopes are not known'
    const words = [because, unknown].filter((one) => one).join('; ')
    return { decision: decide, by: 'policy', rule, ...(words ? { because: words } : {}) }
  }
}

/** Why no rule can allow an effect. */
function beyondRules(effect: Effect): string | undefined {
  if (effect.kind === 'present-identity' && 'email' in effect && effect.emailFrom === 'model') {
    return 'the model proposed the address'
  }
  if (effect.kind === 'create-credential' && effect.note !== undefined) {
    return 'an earlier one may exist already'
  }
  return effect.kind === 'unsafe-request' && effect.tool ? 'it is a tool of the service' : undefined
}

/**
 * Whether a rule speaks of this. In doubt a rule that is strict does and one that allows does not: of
 * two names for a thing, as of a service whose request goes elsewhere, `allow` needs both.
 */
function covers({ decide, when }: PolicyRule, facts: Facts): boolean {
  const { verb, effect } = facts
  const strict = decide !== 'allow'
  const verbs = listOf(when.verb)
  const kinds = listOf(when.effect)
  if (verbs ? !verbs.some((one) => one === verb) : verb === 'revoke' && kinds === undefined)
    return false
  if (kinds && !(effect && kinds.includes(effect.kind))) return false
  const isAt = (url: string) => when.service === undefined || isAmong(when.service, url)
  const places = placesOf(facts)
  if (!(strict ? places.some(isAt) : places.every(isAt))) return false
  return (
    methodFits(when, facts, strict) &&
    pathFits(when, facts, strict) &&
    scopesFit(when, facts, strict)
  )
}

function methodFits(when: PolicyCondition, { method, effect }: Facts, strict: boolean): boolean {
  const methods = listOf(when.method)
  if (methods === undefined) return true
  const request = requestOf(effect)
  const own = request ? request.method : method
  return methods.some((one) => one === own || (strict && one === 'GET' && own === 'HEAD'))
}

function pathFits(when: PolicyCondition, { effect }: Facts, strict: boolean): boolean {
  const paths = listOf(when.path)
  if (paths === undefined) return true
  const request = requestOf(effect)
  if (request === undefined) return false
  const { pathname } = new URL(request.url)
  // How such a path is read is for the server to say.
  if (hidesPath(pathname)) return strict
  const given = segments(pathname, strict)
  return paths.some((path) => segments(path, strict).every((part, at) => part === given[at]))
}

/** What names no scopes may hold all that there is. */
function scopesFit(when: PolicyCondition, facts: Facts, strict: boolean): boolean {
  const listed = listOf(when.scopes)
  if (listed === undefined) return true
  if (facts.effect?.kind !== 'create-credential') return false
  const scopes = scopesOf(facts)
  if (scopes === undefined) return strict
  const isListed = (scope: string) => listed.includes(scope)
  return strict ? scopes.some(isListed) : scopes.every(isListed)
}

function scopesOf({ effect }: Facts): readonly string[] | undefined {
  return effect?.kind === 'create-credential' && effect.scopes?.length ? effect.scopes : undefined
}

/** Segments as servers read them; to a strict rule the case makes no difference. */
function segments(path: string, anyCase: boolean): string[] {
  const parts = decodeURIComponent(path)
    .split('/')
    .filter((part) => part !== '')
  return anyCase ? parts.map((part) => part.toLowerCase()) : parts
}

function requestOf(effect: Effect | undefined) {
  return effect?.kind === 'unsafe-request' || effect?.kind === 'safe-request' ? effect : undefined
}

/** The service, and where the effect takes place. */
function placesOf({ service, effect }: Facts): string[] {
  switch (effect?.kind) {
    case 'unsafe-request':
    case 'safe-request':
      return [service, effect.url]
    case 'create-credential':
      return [service, effect.at]
    case 'present-identity':
      return [service, `${URL.parse(service)?.protocol ?? 'https:'}//${effect.to}`]
    default:
      return [service]
  }
}

function isAmong(services: string | readonly string[], text: string): boolean {
  const url = URL.parse(text)
  if (url === null) return false
  const hostname = url.hostname.replace(/\.$/, '')
  url.hostname = hostname
  const domain = registrableDomain(hostname)
  return (listOf(services) ?? []).some((one) => one === domain || one === url.origin)
}
