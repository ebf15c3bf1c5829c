import { sha256 } from '../encoding.ts'
import { domainOf } from './asking.ts'
import type { DocumentReading } from './markdown/read.ts'
import { type ReadResource, type ReadServer, resourceFacts, serverFacts } from './metadata.ts'
import { notices } from './notices.ts'
import type { Fact, FactName, ServiceDocument, ServiceProfile, Tried } from './profile.ts'

/** A text that was read, and how we came to it. */
export interface FoundDocument {
  readonly url: string
  readonly place: 'asked' | 'origin' | 'named' | 'sibling' | 'registration'
  readonly text: string
  readonly reading: DocumentReading
}

/** What the waves brought, in the order in which it came. */
export interface Findings {
  readonly asked: URL
  readonly resources: ReadResource[]
  readonly servers: ReadServer[]
  readonly documents: FoundDocument[]
  readonly warnings: string[]
  /** What the asked URL demands in its challenge. */
  challengeScopes?: readonly string[]
}

const endpoints: readonly FactName[] = [
  'register_uri',
  'claim_uri',
  'revocation_uri',
  'use_base_url',
  'mcp_url',
  'request',
]
const maxWarnings = 50

/** Whether anything was found by which one could get a credential. */
export function isUsable({ documents, servers }: Findings): boolean {
  const inText = documents.some(({ reading }) =>
    reading.facts.some(
      ({ name, denied }) =>
        !denied && ['register_uri', 'claim_uri', 'header_scheme', 'method'].includes(name),
    ),
  )
  return (
    inText ||
    servers.some((server) =>
      serverFacts(server).some(({ name }) => name === 'method' || name === 'register_uri'),
    )
  )
}

/** Puts the findings in order: metadata before text, the nearer text first, denied metadata last. */
export async function assemble(
  findings: Findings,
  tried: readonly Tried[],
  at: number,
): Promise<ServiceProfile> {
  const { asked, challengeScopes } = findings
  const warnings = new Set(findings.warnings)
  const resource = bestResource(findings)
  const servers = inOrder(findings.servers, resource)
  const documents = await withoutCopies(findings.documents)
  const allowed = allowedDomains(asked, resource)
  const mark = (fact: Fact): Fact => markOffDomain(fact, allowed, warnings)
  const ofText = documents.map((document) => ({ ...document, facts: document.facts.map(mark) }))
  const stated = ofText.flatMap((document) => document.facts)
  const ofMetadata = [
    ...(resource ? resourceFacts(resource) : []),
    ...servers.flatMap(serverFacts),
  ].map(mark)
  const demoted = demotions(ofMetadata, stated)
  if (demoted.size > 0) warnings.add('A text denies what metadata offers.')
  contradictions(ofMetadata, stated, warnings)
  const facts = unique([
    ...ofMetadata.filter((fact) => !demoted.has(fact)),
    ...stated,
    ...[...demoted].map((fact): Fact => ({ ...fact, demoted: true })),
  ])
  const base = stated.find(
    ({ name, denied, offDomain }) => name === 'use_base_url' && !denied && !offDomain,
  )?.value
  return {
    asked: asked.href,
    service: resource?.resource ?? base ?? asked.origin,
    ...(resource && { resourceMetadata: plainResource(resource) }),
    ...(challengeScopes && { challengeScopes }),
    serverMetadata: servers.map(({ url, issuer, raw }) => ({
      url,
      ...(issuer !== undefined && { issuer }),
      raw,
    })),
    documents: ofText,
    facts,
    tried,
    warnings: [...notices(facts), ...warnings].slice(0, maxWarnings),
    at,
  }
}

/** The one that names the asked URL best: the longest resource of its origin, then any other. */
function bestResource({ resources, asked }: Findings): ReadResource | undefined {
  const own = resources.filter(({ resource }) => new URL(resource).origin === asked.origin)
  return (
    own.toSorted((a, b) => b.resource.length - a.resource.length)[0] ??
    resources.toSorted((a, b) => a.url.localeCompare(b.url))[0]
  )
}

function plainResource({ url, resource, authorizationServers, scopes }: ReadResource) {
  return { url, resource, authorizationServers, scopes }
}

/** Servers that the resource names come first, in its order. */
function inOrder(servers: readonly ReadServer[], resource: ReadResource | undefined): ReadServer[] {
  const named = (resource?.authorizationServers ?? []).map(normal)
  const place = ({ issuer, url }: ReadServer): number => {
    const at = named.indexOf(normal(issuer ?? new URL(url).origin))
    return at < 0 ? named.length : at
  }
  return servers.toSorted((a, b) => place(a) - place(b) || a.url.localeCompare(b.url))
}

function normal(address: string): string {
  return URL.canParse(address) ? new URL(address).href : address
}

const places: readonly FoundDocument['place'][] = [
  'asked',
  'origin',
  'named',
  'sibling',
  'registration',
]

async function withoutCopies(found: readonly FoundDocument[]): Promise<ServiceDocument[]> {
  const ordered = found.toSorted(
    (a, b) => places.indexOf(a.place) - places.indexOf(b.place) || a.url.localeCompare(b.url),
  )
  const documents = new Map<string, ServiceDocument>()
  for (const { url, place, text, reading } of ordered) {
    const hash = await sha256(text)
    const role = place === 'registration' ? 'registration-page' : 'auth.md'
    if (!documents.has(hash)) documents.set(hash, { url, role, hash, facts: reading.facts })
  }
  return [...documents.values()]
}

/** The asked domain, and those of the servers that the resource's own metadata names. */
function allowedDomains(asked: URL, resource: ReadResource | undefined): Set<string> {
  const servers = (resource?.authorizationServers ?? []).filter((one) => URL.canParse(one))
  return new Set([asked.href, ...servers].map(domainOf))
}

function markOffDomain(fact: Fact, allowed: ReadonlySet<string>, warnings: Set<string>): Fact {
  if (!endpoints.includes(fact.name) || fact.denied || !URL.canParse(fact.value)) return fact
  const { protocol, host } = new URL(fact.value)
  if (!/^https?:$/.test(protocol) || allowed.has(domainOf(fact.value))) return fact
  warnings.add(`${fact.source.url} names an address on another domain, ${host}, as ${fact.name}.`)
  return { ...fact, offDomain: true }
}

/** Metadata facts that a text plainly denies and no text states. */
function demotions(ofMetadata: readonly Fact[], stated: readonly Fact[]): Set<Fact> {
  const denied = (value: string) => stated.some((fact) => fact.denied && fact.value === value)
  const affirmed = (name: FactName, value?: string) =>
    stated.some(
      (fact) => !fact.denied && fact.name === name && (value === undefined || fact.value === value),
    )
  const blockDenied = denied('agent_auth') || denied('agent-registration')
  return new Set(
    ofMetadata.filter(({ name, value, source }) => {
      if (source.kind !== 'server-metadata') return false
      if (name === 'method' || name === 'identity_type') {
        const agentOnly = ['anonymous', 'service_auth', 'identity_assertion'].includes(value)
        return (denied(value) || (blockDenied && agentOnly)) && !affirmed('method', value)
      }
      if (name !== 'register_uri' && name !== 'claim_uri') return false
      return (denied(name) || blockDenied) && !affirmed(name, value)
    }),
  )
}

function contradictions(
  ofMetadata: readonly Fact[],
  stated: readonly Fact[],
  warnings: Set<string>,
): void {
  for (const name of ['register_uri', 'claim_uri', 'revocation_uri'] as const) {
    const of = (facts: readonly Fact[]) =>
      facts.filter((fact) => fact.name === name && fact.mode === 'programmatic' && !fact.denied)
    const [metadata, text] = [of(ofMetadata), of(stated)]
    if (metadata.length === 0 || text.length === 0) continue
    if (text.some((one) => metadata.some((other) => normal(other.value) === normal(one.value)))) {
      continue
    }
    warnings.add(`Metadata and text name different addresses for ${name}; metadata counts.`)
  }
}

function unique(facts: readonly Fact[]): Fact[] {
  const seen = new Map<string, Fact>()
  for (const fact of facts) {
    const { name, value, mode, denied, request } = fact
    const key = [name, value, mode, denied, request?.method].join(' ')
    if (!seen.has(key)) seen.set(key, fact)
  }
  return [...seen.values()]
}
