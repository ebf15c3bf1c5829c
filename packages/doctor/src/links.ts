import type { Document, Endpoint, Link, Page } from './facts.ts'

/** Links that are followed, those of the service's own domain first. */
const maxLinks = 40
/** What is no address but stands for one. */
const template = /[{}<>$*…[\]|\\]|\.\.\.|%7B/i
/** Judged by rules of their own, or no page at all. */
const elsewhere = /\/\.well-known\/(?:oauth-|openid-)/

interface Wanted {
  readonly url: string
  readonly line: number
  readonly programmatic: boolean
}

/** The addresses in a text that a reader may open; what only takes a POST, and base addresses, are none. */
export function linksIn(
  document: Document,
  endpoints: readonly Endpoint[],
  home?: string,
): Wanted[] {
  const { outline, labels, reading, url: own } = document
  const sent = new Set<string>()
  for (const { name, url } of endpoints) {
    if (['use_base_url', 'mcp_url', 'resource', 'authorization_server'].includes(name))
      sent.add(url)
    if (
      /_endpoint$|_uri$|^issuer$/.test(name) &&
      !name.startsWith('register') &&
      !['claim_uri', 'revocation_uri'].includes(name)
    )
      sent.add(url)
  }
  for (const { request } of reading.facts) {
    if (request && request.method !== 'GET') sent.add(request.url)
  }
  const texts = new Set<string>()
  for (const { name, value, mode } of [...reading.facts, ...labels]) {
    if (!['register_uri', 'claim_uri', 'revocation_uri'].includes(name) || value === undefined)
      continue
    if (mode !== 'programmatic') continue
    // Without a name of its own for texts, it is what a program sends something to.
    if (/\.(?:md|txt|html?)$/i.test(value)) texts.add(value)
    else if (labels.some((one) => one.value === value && one.mode?.includes('programmatic')))
      texts.add(value)
    else sent.add(value)
  }
  const found = new Map<string, Wanted>()
  const see = (text: string, line: number): void => {
    const url = URL.parse(text, own)
    if (!url || template.test(text) || elsewhere.test(url.pathname)) return
    url.hash = ''
    if (
      url.protocol !== 'https:' &&
      url.hostname !== 'localhost' &&
      !url.hostname.endsWith('.localhost')
    )
      return
    if (sent.has(text) || sent.has(url.href) || url.href === own || found.has(url.href)) return
    found.set(url.href, {
      url: url.href,
      line,
      programmatic: texts.has(text) || texts.has(url.href),
    })
  }
  for (const { tokens, line } of outline.statements) {
    let down = 0
    for (const token of tokens) {
      const address = token.kind === 'link' ? token.url : token.text.trim()
      if (token.kind === 'link' ? !address.startsWith('#') : isCode(token.kind, address)) {
        see(address, line + down)
      }
      down += token.text.split('\n').length - 1
    }
  }
  const isOwn = ({ url }: Wanted) =>
    home !== undefined &&
    (new URL(url).hostname === home || new URL(url).hostname.endsWith(`.${home}`))
  return [...found.values()].sort((a, b) => Number(isOwn(b)) - Number(isOwn(a))).slice(0, maxLinks)
}

function isCode(kind: string, text: string): boolean {
  return kind === 'code' && /^https?:\/\/[^\s]+$/i.test(text)
}

/** Asks all of them. */
export async function follow(
  wanted: readonly Wanted[],
  ask: (wanted: Wanted) => Promise<Page>,
): Promise<Link[]> {
  return Promise.all(wanted.map(async (one) => ({ ...one, ...(await ask(one)) })))
}
