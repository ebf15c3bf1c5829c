import { denies, type Fact, type FactName, type ServiceProfile } from '../../discovery/profile.ts'
import { AuthError } from '../../errors.ts'
import { isLoopbackHost, registrableDomain } from '../../net/url.ts'
import { audienceOf, confinedAudience, covers } from '../../use/audience.ts'
import type {
  IssuedCredential,
  Json,
  KeyForm,
  Method,
  MethodContext,
  MethodEvent,
  Offer,
  PlanAnswer,
  Presentation,
  RequestPlan,
} from '../method.ts'
import { plain, type Step } from '../step.ts'
import { type Beside, documented, formOf, variablesOf } from './presentation.ts'

/** What the profile says about keys that a person makes. */
interface Plan {
  /** Where a person makes one. Its registrable domain confines where the key may go. */
  readonly page: string
  /** Where the key is used: on the domain of the page. */
  readonly bases: readonly string[]
  readonly presentation: Presentation
  /** What a person hands over beside the key. */
  readonly beside?: readonly Beside[]
  readonly form?: KeyForm
  readonly variables?: readonly string[]
  /** A harmless request that needs the key. */
  readonly probe?: string
  /** Where a person deletes it. */
  readonly revocation: string
}

/** Plain JSON; the key is never in it. */
interface State {
  readonly plan: Plan
  readonly service: string
  /** What was handed over beside the key and is no secret, by name. */
  readonly given?: Readonly<Record<string, string>>
  /** What came of the last key. */
  readonly notice?: string
}

/**
 * A person makes a key on the service's page and hands it over outside the chat. Offered where a
 * document names such a page and the header that carries the key, all on one registrable domain.
 * Handing it over is the person's own act, so that it needs no further consent.
 */
export const manual: Method<Json, Step> = {
  id: 'manual',

  offers(profile: ServiceProfile): readonly Offer[] {
    const revocation = pageOf(profile, 'revocation_uri')
    const page = pageOf(profile, 'claim_uri') ?? revocation
    const how = documented(profile)
    if (!page || !how || denies(profile, 'api-key-portal')) return []
    const bases = basesOf(profile, page.value)
    if (bases.length === 0) return []
    const probe = probeOf(profile, bases)
    const form = formOf(profile)
    const variables = variablesOf(profile)
    const plan: Plan = {
      page: page.value,
      bases,
      presentation: how.presentation,
      ...(how.beside.length === 0 ? {} : { beside: how.beside }),
      ...(form === undefined ? {} : { form }),
      ...(variables.length === 0 ? {} : { variables }),
      revocation: (revocation ?? page).value,
      ...(probe === undefined ? {} : { probe }),
    }
    const summary = `A person makes an API key on ${new URL(page.value).host} and hands it over outside the chat.`
    return [
      {
        method: 'manual',
        service: profile.service,
        summary,
        needs: ['person'],
        plan: { ...plan } as unknown as Json,
        sources: [page.source],
      },
    ]
  },

  begin(_context: MethodContext, { plan, service }: Offer): Step {
    return forKey({ plan: plan as unknown as Plan, service })
  },

  next(_context: MethodContext, json: Json, event: MethodEvent): Step {
    const state = json as unknown as State
    switch (event.type) {
      case 'person': {
        if (!('secret' in event.input)) return forKey(state)
        const { notice, ...rest } = state
        const { secret, beside = {} } = event.input
        const open = Object.entries(beside).flatMap(([name, value]) =>
          typeof value === 'string' ? [[name, value]] : [],
        )
        const taken: State = {
          ...rest,
          ...(open.length > 0 && { given: Object.fromEntries(open) }),
        }
        const hidden = Object.entries(beside).flatMap(([name, value]) =>
          typeof value === 'string' ? [] : [[name, value] as const],
        )
        const check = checkKey(taken)
        const next = check ? { send: [check] as const } : { done: issued(taken) }
        return {
          state: plain(taken),
          secrets: { ...Object.fromEntries(hidden), key: secret },
          next,
        }
      }
      case 'answer':
        return checked(state, event.answers['check-key'])
      default:
        return forKey(state)
    }
  },
}

function forKey(state: State): Step {
  const { plan, notice, service } = state
  const { form, variables } = plan
  const audience = audienceOf(plan.bases).bases
  const beside = (plan.beside ?? []).map((one) => {
    return { ...one, label: one.name === 'user' ? 'user name' : one.name }
  })
  const more = beside.map(({ label }) => ` and its ${label}`).join('')
  const need = {
    kind: 'paste-key' as const,
    text:
      `Make an API key for ${service} on this page and hand it${more} over outside the chat, where you are ` +
      `asked for it; never in the chat. It will be sent only under ${audience.join(' and ')}.`,
    url: plan.page,
    audience,
    ...(beside.length === 0 ? {} : { beside }),
  }
  const { basic, prefix } = plan.presentation
  const wait = {
    for: 'person',
    need,
    prefix: basic ? '' : prefix,
    ...(form === undefined ? {} : { form }),
    ...(variables === undefined ? {} : { variables }),
    ...(notice === undefined ? {} : { notice }),
  } as const
  return { state: plain(state), next: { wait } }
}

/** Only a 401 says that it is no key; any other answer leaves that to the first use. */
function checked(state: State, answer: PlanAnswer | 'lost' | undefined): Step {
  if (answer === undefined || answer === 'lost') {
    throw new AuthError('method_failed', 'manual was given no answer to check-key')
  }
  if (answer.status !== 401) return { state: plain(state), next: { done: issued(state) } }
  const notice =
    'The service does not accept this key (401), so it was not kept. Was it copied whole?'
  const { given: _, ...rest } = state
  const names = ['key', ...hiddenNames(state.plan)]
  const gone = Object.fromEntries(names.map((name) => [name, null]))
  return { ...forKey({ ...rest, notice }), secrets: gone }
}

function hiddenNames({ beside = [] }: Plan): readonly string[] {
  return beside.filter(({ secret }) => secret).map(({ name }) => name)
}

/** The documented presentation, filled with what was handed over beside the key. */
function filled({ plan, given = {} }: State): Presentation {
  const { presentation, beside = [] } = plan
  if (presentation.basic && given.user !== undefined) {
    return { ...presentation, basic: { user: given.user } }
  }
  if (beside.length === 0) return presentation
  const places = beside.map(({ name, secret }) => {
    const place = { in: 'header', name } as const
    return secret ? { ...place, secret: name } : { ...place, text: given[name] ?? '' }
  })
  return { ...presentation, beside: places }
}

function checkKey(state: State): RequestPlan | undefined {
  const { probe } = state.plan
  if (probe === undefined) return undefined
  return {
    name: 'check-key',
    request: {
      method: 'GET',
      url: probe,
      credential: { ...filled(state), secret: 'key' },
      redirects: 'none',
    },
    effect: 'none',
    ifLost: 'repeat',
  }
}

function issued(state: State): IssuedCredential {
  const { page, bases, probe, revocation } = state.plan
  return {
    secret: 'key',
    kind: 'api_key',
    ...filled(state),
    issuedBy: page,
    bases,
    ...(probe === undefined ? {} : { probe }),
    revocation: { mode: 'interactive', url: revocation },
  }
}

function pageOf(profile: ServiceProfile, wanted: FactName): Fact | undefined {
  return profile.facts.find(({ name, mode, value, denied, demoted, offDomain }) => {
    if (name !== wanted || mode !== 'interactive' || denied || demoted || offDomain) return false
    return isPage(value)
  })
}

/** A page that a browser can open as it is written, and no endpoint of OAuth. */
function isPage(address: string): boolean {
  const url = URL.parse(address)
  if (url === null || /[{}<>$]/.test(address) || url.username || url.password) return false
  if (/\/oauth2?\b|\/authorize\b/i.test(url.pathname)) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))
}

/**
 * Where the key may be used: what the documents name on the domain of the page where it is made. None
 * where that is not the domain of the service that was asked: a document cannot have a key of one
 * service made for another.
 */
export function basesOf(profile: ServiceProfile, page: string): readonly string[] {
  const domain = registrableDomain(new URL(page).hostname)
  const isAlike = (url: string) => registrableDomain(new URL(url).hostname) === domain
  if (domain === undefined || !isAlike(profile.asked) || !isAlike(profile.service)) return []
  const stated = profile.facts.filter(({ name, denied }) => name === 'use_base_url' && !denied)
  const wanted = stated.length > 0 ? stated.map(({ value }) => value) : [profile.service]
  return wanted.filter((base) => {
    const url = URL.parse(base)
    return url !== null && covers(confinedAudience(page, [base]), url)
  })
}

/** A plain GET that an auth.md describes, below the base. */
export function probeOf(profile: ServiceProfile, bases: readonly string[]): string | undefined {
  const audience = audienceOf(bases)
  return profile.documents
    .filter(({ role }) => role === 'auth.md')
    .flatMap(({ facts }) => facts.flatMap(({ request }) => request ?? []))
    .find(({ method, url }) => {
      const target = method === 'GET' && !/[{}<>$:?]/.test(afterHost(url)) ? URL.parse(url) : null
      return target !== null && covers(audience, target)
    })?.url
}

function afterHost(url: string): string {
  return url.replace(/^https?:\/\/[^/]*/i, '')
}
