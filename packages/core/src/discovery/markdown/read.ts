import type { Fact, FactName } from '../profile.ts'
import { addressIn } from './address.ts'
import { type NotAuthMd, whyNotAuthMd } from './is-auth-md.ts'
import { type Descriptions, describeRequests } from './requests/describe.ts'
import { addresses } from './rules/addresses.ts'
import { isPlanned } from './rules/denial.ts'
import { errors } from './rules/errors.ts'
import { headers } from './rules/headers.ts'
import { identityTypes } from './rules/identity-types.ts'
import { keyRules } from './rules/key-forms.ts'
import { keyPages } from './rules/key-pages.ts'
import { labels } from './rules/labels.ts'
import { metadataUrls } from './rules/metadata-urls.ts'
import { methods } from './rules/methods.ts'
import { proseKeys } from './rules/prose-keys.ts'
import { requests, spokenPlaces } from './rules/requests.ts'
import type { Found, Rule } from './rules/rule.ts'
import { aligned, structured } from './rules/structured.ts'
import { settle } from './settle.ts'
import { outlineOf, type Section } from './statements.ts'

/** What a text says. */
export interface DocumentReading {
  /** By name, the better stated first; each once. */
  readonly facts: readonly Fact[]
  /** Hidden text, limits, ignored links. */
  readonly warnings: readonly string[]
  readonly title?: string
  /** It tells agents how to get in. Other texts of that name (of a library, of a team) are not taken for one. */
  readonly isAuthMd: boolean
  /** Why it is not taken for one. */
  readonly why?: NotAuthMd
  /** Origins of all web addresses that stand in it, in code too. */
  readonly origins: readonly string[]
  /** Absolute addresses that it links to. */
  readonly links: readonly string[]
}

const rules: readonly Rule[] = [
  labels,
  structured,
  aligned,
  metadataUrls,
  addresses,
  headers,
  identityTypes,
  methods,
  keyPages,
  errors,
  requests,
  spokenPlaces,
  proseKeys,
  ...keyRules,
]
/** What is not to be had where a section only plans it. */
const waysIn: readonly FactName[] = [
  'authorization_server',
  'register_uri',
  'claim_uri',
  'revocation_uri',
  'identity_type',
  'method',
  'request',
]
const maxFacts = 300
const maxValue = 2_048
/** Facts whose value is an address. */
export const addressFacts: readonly FactName[] = [
  'resource',
  'authorization_server',
  'prm_url',
  'as_metadata_url',
  'register_uri',
  'claim_uri',
  'revocation_uri',
  'use_base_url',
  'mcp_url',
  'request',
]

/**
 * Reads a Markdown text (an auth.md, a registration page) into facts. The text is data: nothing in it
 * is followed. Deterministic, in linear time, never throws; what exceeds the limits is cut and said.
 *
 * @example
 * readDocument(text, { url: 'https://docs.svc.test/auth.md' }).facts
 */
export function readDocument(text: string, { url }: { url: string }): DocumentReading {
  const outline = outlineOf(text)
  const found: Found[] = []
  /** Whether each is only planned: read once, however much stands in it. */
  const sections = new Map<Section, boolean>()
  for (const statement of outline.statements) {
    const planned = sections.get(statement.section) ?? isPlanned(statement)
    sections.set(statement.section, planned)
    for (const rule of rules) {
      for (const one of rule(statement)) {
        if (found.length >= 4 * maxFacts || one.value.length > maxValue) continue
        if (!planned || !waysIn.includes(one.name)) found.push(one)
        else if (one.name !== 'request') found.push({ ...one, denied: true })
      }
    }
  }
  found.sort((a, b) => b.weight - a.weight || a.line - b.line)
  const base = baseUrl(found, url)
  const described = describeRequests(outline.statements)
  const facts = new Map<string, Fact>()
  for (const one of settle(found, described)) {
    const fact = toFact(one, base, url, described)
    const key = `${fact.name} ${fact.denied ?? ''} ${fact.request?.method ?? ''} ${fact.value}`
    const known = facts.get(key)
    if (known?.request) {
      // Described twice, with and without its host: what one leaves open, the other may say.
      facts.set(key, { ...known, request: { ...fact.request, ...known.request } })
    } else if (!known && facts.size < maxFacts) facts.set(key, fact)
  }
  const links = linksOf(outline.statements, url)
  const why = whyNotAuthMd(outline, [...facts.values()])
  return {
    facts: [...facts.values()].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name)),
    warnings: outline.warnings,
    ...(outline.title !== undefined && { title: outline.title }),
    isAuthMd: why === undefined,
    ...(why !== undefined && { why }),
    origins: [...new Set(links.map((link) => new URL(link).origin))],
    links,
  }
}

const order: readonly FactName[] = [
  ...addressFacts.slice(0, 9),
  'header_scheme',
  'basic_auth',
  'key_beside',
  'key_form',
  'key_example',
  'key_env',
  'method',
  'identity_type',
  'feature',
  'error_shape',
  'error_status',
  'error_code',
  'request',
]

/** What relative addresses are relative to: the stated base URL, else the document. */
function baseUrl(found: readonly Found[], url: string): URL {
  const stated = found.find(
    ({ name, weight, value }) =>
      name === 'use_base_url' && weight > 1 && /^https?:/i.test(value) && URL.canParse(value),
  )
  return new URL(stated?.value ?? url)
}

function toFact(found: Found, base: URL, url: string, described: Descriptions): Fact {
  const { name, value, mode, denied, method, line } = found
  const resolved = addressFacts.includes(name) ? resolve(found, base, new URL(url)) : undefined
  return {
    name,
    value: resolved ?? value,
    ...(resolved !== undefined && resolved !== value && { written: value }),
    ...(mode && { mode }),
    ...(denied && { denied }),
    ...(method && {
      request: { method, url: resolved ?? value, ...described.get(`${method} ${value}`) },
    }),
    source: { url, line, kind: 'text' },
  }
}

/** An absolute address; undefined for what cannot be one, such as a variable. Absolute ones stay as written. */
function resolve({ name, value, host }: Found, base: URL, document: URL): string | undefined {
  if (/^https?:\/\//i.test(value)) return undefined
  if (addressIn(value) === undefined || value.startsWith('$')) return undefined
  if (!value.startsWith('/')) return parse(`${document.protocol}//${value}`)
  if (host !== undefined) return parse(`${document.protocol}//${host}${value}`)
  // Metadata and the document's own pages lie beside the document, API paths below the base URL.
  if (value.startsWith('/.well-known/')) return parse(value, document)
  const path = base.href.startsWith(document.href) ? '' : base.pathname.replace(/\/$/, '')
  const below = name === 'request' && path !== '' && !`${value}/`.startsWith(`${path}/`)
  return parse(below ? `${path}${value}` : value, base)
}

function parse(text: string, base?: URL): string | undefined {
  return URL.canParse(text, base) ? new URL(text, base).href : undefined
}

function linksOf(
  statements: ReturnType<typeof outlineOf>['statements'],
  url: string,
): readonly string[] {
  const links = new Set<string>()
  const see = (text: string): void => {
    if (links.size < 2_000 && URL.canParse(text, url)) {
      const link = new URL(text, url)
      if (link.protocol === 'https:' || link.protocol === 'http:') links.add(link.href)
    }
  }
  for (const { tokens, code } of statements) {
    for (const token of tokens) {
      if (token.kind === 'link') see(token.url)
      else if (token.kind === 'code') for (const one of inText(token.text)) see(one)
    }
    if (code !== undefined) for (const one of inText(code)) see(one)
  }
  return [...links]
}

function inText(text: string): string[] {
  return Array.from(text.matchAll(/https?:\/\/[^\s"'<>`|)\]}]+/gi), (match) =>
    match[0].replace(/[.,;:]+$/, ''),
  )
}
