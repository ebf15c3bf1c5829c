import {
  addressFacts,
  type GuardedAnswer,
  outlineOf,
  readDocument,
  registrableDomain,
} from '@authmd/core/reading'
import type { Document, Endpoint, Metadata } from './facts.ts'
import { blocksOf, labelsOf, lineOf } from './labels.ts'
import { lineFrom } from './said.ts'

/** Stands for the address of a text whose address nobody gave. */
export const nowhere = 'https://document.invalid/auth.md'

/** Reads a text for agents. */
export function readText(text: string, url: string, answer?: GuardedAnswer): Document {
  const outline = outlineOf(text)
  return {
    url,
    text,
    lines: text.split(/\r\n|\n|\r/),
    outline,
    reading: readDocument(text, { url }),
    labels: labelsOf(outline),
    blocks: blocksOf(outline),
    ...(answer && { answer }),
  }
}

/** The addresses in a text to which an agent sends something. */
export function endpointsOf({ reading, labels, lines, url }: Document): Endpoint[] {
  const found: Endpoint[] = []
  const see = (name: string, address: string, line: number, programmatic: boolean): void => {
    if (!URL.canParse(address) || new URL(address).origin === new URL(nowhere).origin) return
    if (found.some((one) => one.name === name && one.url === address)) return
    found.push({ name, url: address, place: { url, line }, programmatic })
  }
  for (const { name, value, mode, denied, source } of reading.facts) {
    if (denied || !addressFacts.includes(name)) continue
    // What is read from a block has the line of its beginning.
    see(
      name,
      value,
      lineFrom({ lines }, source.line ?? 1, value, blockLines),
      mode !== 'interactive',
    )
  }
  for (const { name, value, mode, line } of labels) {
    if (value?.startsWith('http')) see(name, value, line, mode !== 'interactive')
  }
  return found
}

/** No block is longer, in lines. */
const blockLines = 200

/** The same of metadata: members that are addresses, in the object and in its `agent_auth`. */
export function endpointsIn({ url, answer, json }: Metadata): Endpoint[] {
  if (!json || !answer) return []
  return addressesOf(json).map(([at, address]) => ({
    name: at,
    url: address,
    place: { url, line: lineOf(answer.text, at.split('.').at(-1) ?? at), at },
    programmatic: true,
  }))
}

function addressesOf(json: Readonly<Record<string, unknown>>, prefix = ''): [string, string][] {
  return Object.entries(json).flatMap(([name, value]): [string, string][] => {
    if (name === 'authorization_servers' && Array.isArray(value)) {
      return value
        .filter((one) => typeof one === 'string' && URL.canParse(one))
        .map((one) => [name, one])
    }
    if (name === 'agent_auth' && typeof value === 'object' && value !== null) {
      return addressesOf(value as Record<string, unknown>, 'agent_auth.')
    }
    const isAddress = /^(?:[a-z_]{1,60}_(?:endpoint|uri)|issuer|resource|skill)$/.test(name)
    const isPage = /^(?:op_|.*(?:logo|tos|policy|documentation))/.test(name)
    if (typeof value !== 'string' || !isAddress || isPage || !URL.canParse(value)) return []
    return [[prefix + name, value]]
  })
}

/** The domain that a text is about, where nobody says where it lies. */
export function homeOf(endpoints: readonly Endpoint[]): string | undefined {
  const of = (names: readonly string[]) =>
    endpoints
      .filter(({ name, url }) => names.includes(name) && !isPlaceholder(new URL(url).hostname))
      .map(({ url }) => domainOf(url))
  for (const names of [['resource'], ['use_base_url'], ['prm_url'], addressFacts]) {
    const domains = of(names)
    const count = (one: string | undefined) => domains.filter((other) => other === one).length
    const [most] = domains.toSorted((a, b) => count(b) - count(a))
    if (most !== undefined) return most
  }
  return undefined
}

/** Names that RFC 2606 keeps for examples, and what people write in their place. */
export function isPlaceholder(host: string): boolean {
  return (
    /(?:^|\.)example(?:\.(?:com|net|org))?$/.test(host) ||
    /(?:^|[.-])(?:your|my)-?(?:domain|service|site|company|app|host|server|api)(?:[.-]|$)/.test(
      host,
    )
  )
}

/** The registrable domain of an address; its host where there is none. */
export function domainOf(url: string): string | undefined {
  const hostname = URL.parse(url)?.hostname
  return hostname === undefined ? undefined : (registrableDomain(hostname) ?? hostname)
}
