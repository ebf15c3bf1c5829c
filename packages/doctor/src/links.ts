import { isLoopbackHost } from '@authmd/core/reading'
import { domainOf } from './document.ts'
import type { Document, Endpoint, Link, Page } from './facts.ts'

/** Links that are followed, those of the service's own domain first. */
const maxLinks = 40
/** What is no address but stands for one. */
const template = /[{}<>$*…[\]|\\]|\.\.\.|%7B/i
/** Judged by rules of their own. */
const metadata = /\/\.well-known\/(?:oauth-|openid-)/
/** Where a service explains its API. */
const explains = /\/(?:api-)?(?:docs?|documentation|reference|guides?)(?:\/|$)/i

type Wanted = Omit<Link, 'answer' | 'error'>

/**
 * The addresses in a text that a reader may open. What only takes a POST is none, nor are base addresses,
 * which need not answer a reader.
 */
export function linksIn(
  document: Document,
  endpoints: readonly Endpoint[],
  home?: string,
): Wanted[] {
  const programmatic = calledProgrammatic(document)
  const sent = sentTo(document, endpoints, programmatic)
  const found = new Map<string, Wanted>()
  for (const { text, line } of addressesIn(document)) {
    const url = URL.parse(text, document.url)
    if (!url || template.test(text) || metadata.test(url.pathname)) continue
    url.hash = ''
    const { href } = url
    if (url.protocol !== 'https:' && !isLoopbackHost(url.hostname)) continue
    if (sent.has(text) || sent.has(href) || href === document.url || found.has(href)) continue
    const documentation = domainOf(href) === home && explains.test(url.pathname)
    const isCalled = programmatic.has(text) || programmatic.has(href)
    found.set(href, { url: href, line, programmatic: isCalled, documentation })
  }
  const isOwn = ({ url }: Wanted) => Number(domainOf(url) === home)
  return [...found.values()].sort((a, b) => isOwn(b) - isOwn(a)).slice(0, maxLinks)
}

/** Asks all of them. */
export async function follow(
  wanted: readonly Wanted[],
  ask: (wanted: Wanted) => Promise<Page>,
): Promise<Link[]> {
  return Promise.all(wanted.map(async (one) => ({ ...one, ...(await ask(one)) })))
}

function* addressesIn({ outline }: Document): Generator<{ text: string; line: number }> {
  for (const { tokens, line } of outline.statements) {
    let down = 0
    for (const token of tokens) {
      const text = token.kind === 'link' ? token.url : token.text.trim()
      const isLink = token.kind === 'link' && !text.startsWith('#')
      const isCode = token.kind === 'code' && /^https?:\/\/\S+$/i.test(text)
      if (isLink || isCode) yield { text, line: line + down }
      down += token.text.split('\n').length - 1
    }
  }
}

const placed = ['register_uri', 'claim_uri', 'revocation_uri']

/** Addresses that the text itself calls programmatic, or that are texts for programs by their names. */
function calledProgrammatic({ reading, labels }: Document): ReadonlySet<string> {
  const called = labels.filter(({ mode }) => mode?.includes('programmatic'))
  const texts = reading.facts.filter(
    ({ name, mode, value }) =>
      placed.includes(name) && mode === 'programmatic' && /\.(?:md|txt)$/i.test(value),
  )
  return new Set([...called, ...texts].flatMap(({ value }) => value ?? []))
}

/** Addresses to which a program sends something: what they say to a reader means nothing. */
function sentTo(
  { reading }: Document,
  endpoints: readonly Endpoint[],
  programmatic: ReadonlySet<string>,
): ReadonlySet<string> {
  const bases = ['use_base_url', 'mcp_url', 'resource', 'authorization_server', 'issuer']
  const sent = endpoints.filter(
    ({ name }) =>
      bases.includes(name) || (/_(?:endpoint|uri)$/.test(name) && !placed.includes(name)),
  )
  const described = reading.facts.flatMap(({ name, mode, value, request }) => {
    if (request) return request.method === 'GET' ? [] : [request.url]
    const isSent = placed.includes(name) && mode === 'programmatic' && !programmatic.has(value)
    return isSent ? [value] : []
  })
  return new Set([...sent.map(({ url }) => url), ...described])
}
