import type {
  DescribedField,
  DescribedRequest,
  Fact,
  ServiceProfile,
} from '../../discovery/profile.ts'
import { isLoopbackHost, registrableDomain } from '../../net/url.ts'
import { basesOf, probeOf } from '../manual/index.ts'
import { documented } from '../manual/presentation.ts'
import type { Offer } from '../method.ts'
import { plain } from '../step.ts'
import type { Described, Field, Plan } from './state.ts'

/** Headers that are sent as we send them, whatever a document's example has. */
const ourHeaders = ['accept', 'content-type', 'content-length', 'host', 'user-agent']

/**
 * Offered where a text describes one request that needs no credential and whose answer holds one: on the
 * domain of the service and of the text, without a secret that somebody would have to fill in.
 */
export function offerOf(profile: ServiceProfile): Offer | undefined {
  const { presentation, beside } = documented(profile) ?? {}
  // One credential in an answer, and nothing that would have to go beside it.
  if (presentation === undefined || beside?.length !== 0) return undefined
  for (const fact of profile.facts) {
    const request = describedIn(fact)
    if (request === undefined) continue
    const bases = basesOf(profile, request.url)
    if (bases.length === 0 || !sameDomain(request.url, request.document)) continue
    const probe = probeOf(profile, bases)
    const revocation = profile.facts.find(
      ({ name, mode, denied, offDomain }) =>
        name === 'revocation_uri' && mode === 'interactive' && !denied && !offDomain,
    )?.value
    const plan: Plan = {
      request,
      presentation,
      bases,
      ...(probe === undefined ? {} : { probe }),
      ...(revocation === undefined ? {} : { revocation }),
    }
    const asks = request.fields.some(({ from }) => from === 'model')
    return {
      method: 'guided',
      service: profile.service,
      summary: `Sends the request that ${request.document} describes in line ${request.line}; its answer holds the credential.`,
      needs: [
        ...(asks ? (['model'] as const) : []),
        ...(request.fields.some(({ from }) => from === 'email') ? (['email'] as const) : []),
      ],
      plan: plain(plan),
      sources: [fact.source],
    }
  }
  return undefined
}

function describedIn({ name, denied, offDomain, demoted, request, source }: Fact) {
  if (name !== 'request' || denied || offDomain || demoted || request === undefined)
    return undefined
  const { method, url, headers = [], fields = [], answer, body } = request
  if (method !== 'POST' || answer?.credential === undefined || !isPlain(url)) return undefined
  if (headers.some((one) => !ourHeaders.includes(one.name.toLowerCase()))) return undefined
  const own = fields.map(fieldOf)
  if (own.some((field) => field === undefined)) return undefined
  const described: Described = {
    url,
    body: body ?? 'json',
    fields: own.flatMap((field) => field ?? []),
    credential: answer.credential,
    document: source.url,
    line: source.line ?? answer.line,
    ...termsOf(request, source.url),
  }
  return described
}

/** An address as it stands: nothing to be filled in, no query, no user. */
function isPlain(address: string): boolean {
  const url = URL.parse(address)
  if (url === null || /[{}<>$?#]|%7b/i.test(address) || url.username || url.password) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))
}

function sameDomain(one: string, other: string): boolean {
  const [first, second] = [one, other].map((url) => registrableDomain(new URL(url).hostname))
  return first !== undefined && first === second
}

/** What only who holds a wallet or pays could fill in. */
const ofWallet = /signature|wallet|payment|(?:^|[._])(?:sig|nonce|tx_?hash|invoice|preimage)$/i
const termsName = /terms|\btos\b|agree|accept|consent|policy/i

/** Undefined for what nobody here could fill in: a secret, a wallet's, a list, an object. */
function fieldOf(field: DescribedField): Field | undefined {
  const { name, type = 'string', example, placeholder, note, line } = field
  const required = field.required !== false
  const common = { name, required, line, ...(note === undefined ? {} : { note }) }
  if (field.secret || ofWallet.test(name)) return undefined
  if (/e-?mail/i.test(name)) return { ...common, type: 'string', from: 'email' }
  const last = name.split('.').at(-1) ?? name
  if (termsName.test(last) && (type === 'boolean' || example === 'true')) {
    return { ...common, type: 'boolean', from: 'terms' }
  }
  if (type !== 'string' && type !== 'number' && type !== 'boolean') return undefined
  if (example === undefined || placeholder || !required) return { ...common, type, from: 'model' }
  const value = type === 'string' ? example : (JSON.parse(example) as number | boolean)
  return { ...common, type, from: 'document', value }
}

/** The terms that one of the fields accepts: where its note says, else the document that speaks of them. */
function termsOf({ fields = [] }: DescribedRequest, document: string) {
  const field = fields.find((one) => fieldOf(one)?.from === 'terms')
  if (field === undefined) return {}
  const [named] = /https?:\/\/[^\s)>\]"'`]+/i.exec(field.note ?? '') ?? []
  return { terms: named?.replace(/[.,;:]+$/, '') ?? document }
}
