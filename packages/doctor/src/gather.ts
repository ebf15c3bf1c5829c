import {
  discover,
  type GuardedAnswer,
  type GuardedFetch,
  isLoopbackHost,
  ownerOfWellKnown,
  resourceMetadataUrls,
  resourceMetadataUrlsOf,
  serverMetadataUrls,
} from '@authmd/core/reading'
import { domainOf, endpointsIn, endpointsOf, homeOf, nowhere, readText } from './document.ts'
import type { Document, Facts, Metadata, Page } from './facts.ts'
import { objectOf } from './labels.ts'
import { follow, linksIn } from './links.ts'
import { Reader } from './reader.ts'
import type { Asked } from './report.ts'

/** Addresses of the API that are asked without a credential. */
const maxProbes = 5
const maxServers = 3

/** The facts of a text alone. Nothing is asked. */
export function factsOfText(text: string, url: string = nowhere): Facts {
  const document = readText(text, url)
  const endpoints = endpointsOf(document)
  const home = url === nowhere ? homeOf(endpoints) : domainOf(url)
  return {
    document,
    ...(home !== undefined && { home }),
    instead: [],
    resources: [],
    servers: [],
    keys: [],
    skills: [],
    probes: [],
    links: [],
    endpoints,
  }
}

/**
 * The facts of a live service: what core's discovery finds, then what the rules want besides. Reads only.
 *
 * @throws AuthError of `discover`
 */
export async function factsOf(
  asked: string,
  guarded: GuardedFetch,
  limits: { timeoutMs: number; signal?: AbortSignal },
): Promise<{ facts: Facts; asked: readonly Asked[] }> {
  const reader = new Reader(guarded, asked, limits)
  const profile = await discover(asked, { fetch: reader.fetch, now: Date.now })
  const home = domainOf(profile.asked)
  const { document, instead } = await documentOf(reader, profile.asked, profile.documents[0]?.url)
  const probes = await probe(reader, profile.asked, document)
  const resources = await resourcesOf(reader, profile.asked, document, probes)
  if (!probes.some(({ answer }) => answer?.status === 401)) {
    const named = resources.flatMap(({ json }) => textsOf([json?.resource]))
    const url = named.find((one) => isHome(one, home) && isWhole(one))
    if (url !== undefined) probes.push(await reader.get(url, json))
  }
  const servers = await serversOf(reader, profile.asked, document, resources)
  const keys = await keysOf(reader, servers)
  const skills = await skillsOf(reader, servers, home)
  const inText = document ? endpointsOf(document) : []
  const endpoints = [...inText, ...[...resources, ...servers].flatMap(endpointsIn)]
  // From a service on this machine nobody is led to the outside.
  const local = isLoopbackHost(new URL(profile.asked).hostname)
  const links = document
    ? linksIn(document, endpoints, home).filter(
        ({ url }) => !local || isLoopbackHost(new URL(url).hostname),
      )
    : []
  const followed = await follow(links, ({ url, programmatic, documentation }) =>
    programmatic || documentation ? reader.get(url) : reader.head(url),
  )
  const facts: Facts = {
    asked: profile.asked,
    ...(home !== undefined && { home }),
    ...(document && { document }),
    instead,
    resources,
    servers,
    keys,
    skills,
    probes,
    links: followed,
    endpoints,
  }
  return { facts, asked: reader.asked }
}

const json = 'application/json'

/** The text that discovery uses; where it uses none, the one that lies at the usual place all the same. */
async function documentOf(
  reader: Reader,
  asked: string,
  used: string | undefined,
): Promise<{ document?: Document; instead: readonly Page[] }> {
  const pages = await reader.answered()
  const { origin } = new URL(asked)
  const usual = [asked, `${origin}/auth.md`, `${origin}/.well-known/auth.md`]
  const at = (url: string) => pages.find((one) => one.answer?.url === url || one.url === url)
  const page = used === undefined ? undefined : at(used)
  const candidates = usual
    .filter((url) => /\.md$/i.test(new URL(url).pathname))
    .flatMap((url) => at(url) ?? [])
  const found = page?.answer ?? candidates.find(({ answer }) => answer && isText(answer))?.answer
  if (!found) return { instead: candidates }
  return { document: readText(found.text, found.url, found), instead: [] }
}

function isText({ status, text, mediaType }: GuardedAnswer): boolean {
  const start = text.trimStart().slice(0, 200).toLowerCase()
  const page = start.startsWith('<!doctype') || start.startsWith('<html') || start.startsWith('{')
  return status === 200 && start !== '' && !page && !/^(?:image|audio|video)\//.test(mediaType)
}

/** Asks the API as one who has no credential yet. */
async function probe(reader: Reader, asked: string, document?: Document): Promise<Page[]> {
  const home = domainOf(asked)
  const addresses = new Set<string>()
  if (!isOfDiscovery(asked)) addresses.add(asked)
  for (const { name, value, request, denied } of document?.reading.facts ?? []) {
    const isGet = name === 'request' && request?.method === 'GET'
    if (denied || !(name === 'use_base_url' || isGet)) continue
    const url = isGet ? request.url : value
    if (!isHome(url, home) || !isWhole(url)) continue
    if (!isOfDiscovery(url) && !isLeftAlone(url)) addresses.add(url)
  }
  const some = [...addresses].slice(0, maxProbes)
  return Promise.all(some.map((url) => reader.get(url, json)))
}

function isOfDiscovery(url: string): boolean {
  const { pathname } = new URL(url)
  return /\.(?:md|txt)$|\/\.well-known\//i.test(pathname)
}

/** Neither a template nor with a query, which may hold what is good once. */
function isWhole(url: string): boolean {
  return !/[{}<>$*:…[\]?]|\.\.\./.test(url.replace(/^https?:\/\/[^/]*/, ''))
}

/** Pages of an OAuth server answer in their own way, open ones to everybody, and some do something. */
function isLeftAlone(url: string): boolean {
  const words =
    /\/(?:authorize|oauth2?|login|claim|health|status|docs?|openapi[\w.]*|log-?out|sign-?out|revoke|delete|cancel|unsubscribe)(?:\/|$)/i
  return words.test(new URL(url).pathname)
}

function isHome(url: string, home: string | undefined): boolean {
  return URL.canParse(url) && domainOf(url) === home
}

async function resourcesOf(
  reader: Reader,
  asked: string,
  document: Document | undefined,
  probes: readonly Page[],
): Promise<Metadata[]> {
  const wanted = new Map<string, Pick<Metadata, 'of' | 'namedBy'>>()
  for (const { url, answer } of probes) {
    if (answer?.status !== 401) continue
    for (const address of resourceMetadataUrls(answer.headers).slice(0, 2)) {
      if (!wanted.has(address)) wanted.set(address, { of: url, namedBy: 'challenge' })
    }
  }
  for (const { name, value, denied } of document?.reading.facts ?? []) {
    if (name !== 'prm_url' || denied || wanted.has(value)) continue
    wanted.set(value, { of: ownerOfWellKnown(value) ?? value, namedBy: 'document' })
  }
  const named = await Promise.all(
    [...wanted].slice(0, 4).map(async ([url, how]) => metadata(await reader.get(url, json), how)),
  )
  if (named.length > 0) return named
  const url = new URL(asked)
  const resource = isOfDiscovery(asked) ? new URL(url.origin) : url
  const usual = await Promise.all(
    resourceMetadataUrlsOf(resource).map(async (address) =>
      metadata(await reader.get(address, json), {
        of: ownerOfWellKnown(address) ?? url.origin,
        namedBy: 'nobody',
      }),
    ),
  )
  return usual.filter((one) => one.answer?.status === 200 && one.json).slice(0, 1)
}

async function serversOf(
  reader: Reader,
  asked: string,
  document: Document | undefined,
  resources: readonly Metadata[],
): Promise<Metadata[]> {
  const named = resources.flatMap(({ json: found }) => textsOf(found?.authorization_servers))
  const issuers = [...new Set(named)].filter((one) => URL.canParse(one)).slice(0, maxServers)
  const found = await Promise.all(issuers.map((issuer) => serverOf(reader, issuer, 'resource')))
  if (found.length > 0) return found
  for (const { name, value, denied } of document?.reading.facts ?? []) {
    if (name !== 'as_metadata_url' || denied) continue
    const of = ownerOfWellKnown(value)
    if (of !== undefined) {
      return [metadata(await reader.get(value, json), { of, namedBy: 'document' })]
    }
  }
  const usual = await serverOf(reader, new URL(asked).origin, 'nobody')
  return usual.json ? [usual] : []
}

/** The first form under which the metadata of an issuer is there. */
async function serverOf(
  reader: Reader,
  issuer: string,
  namedBy: Metadata['namedBy'],
): Promise<Metadata> {
  const forms = serverMetadataUrls(issuer)
  const pages = await Promise.all(forms.map((url) => reader.get(url, json)))
  const there = pages.find(({ answer }) => answer?.status === 200 && objectOf(answer.text))
  const first = there ?? pages.find(({ answer }) => answer?.status === 200) ?? pages[0]
  return metadata(first ?? { url: issuer, error: 'invalid_url' }, { of: issuer, namedBy })
}

async function keysOf(reader: Reader, servers: readonly Metadata[]): Promise<Metadata[]> {
  const named = servers.flatMap(({ json: found, url }) => {
    const address = found?.jwks_uri
    return typeof address === 'string' && URL.canParse(address) ? [{ address, of: url }] : []
  })
  return Promise.all(
    named.map(async ({ address, of }) =>
      metadata(await reader.get(address, json), { of, namedBy: 'resource' }),
    ),
  )
}

/** Those on the service's own domain, or on the server's. */
async function skillsOf(
  reader: Reader,
  servers: readonly Metadata[],
  home: string | undefined,
): Promise<Page[]> {
  const named = servers.flatMap(({ json: found, of }) => {
    const block = found?.agent_auth
    const skill = block && typeof block === 'object' && 'skill' in block ? block.skill : undefined
    const own = typeof skill === 'string' && [home, domainOf(of)].includes(domainOf(skill))
    return own && isWhole(skill) ? [skill] : []
  })
  return Promise.all(named.map((url) => reader.get(url)))
}

function metadata(page: Page, how: Pick<Metadata, 'of' | 'namedBy'>): Metadata {
  const { answer, url } = page
  // What another domain says of this one does not count.
  const own = answer?.status === 200 && domainOf(answer.url) === domainOf(url)
  const found = own ? objectOf(answer.text) : undefined
  return { ...page, ...how, ...(found && { json: found }) }
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}
