import type { Mode } from '../profile.ts'
import type { Token } from './tokens.ts'

/** An address as written, with the method that stands before it. */
export interface Address {
  readonly value: string
  readonly method?: string
}

const withMethod = /^(GET|POST|PUT|PATCH|DELETE|HEAD)\s+(\S+)(?:\s+HTTP\/[\d.]+)?$/

/** The address that a token is, if it is one and nothing else. */
export function addressOf(token: Token): Address | undefined {
  if (token.kind === 'text') return undefined
  if (token.kind === 'link') {
    if (token.url.startsWith('#')) return undefined
    const shown = addressIn(token.text)
    // A path that links to a page about it stands for itself.
    const path = pathOf(token.url)
    const isOwn = shown?.value.startsWith('/') && (!path.endsWith(shown.value) || isGuide(path))
    const value = shown && isOwn ? shown.value : token.url
    return { value, ...(shown?.method && { method: shown.method }) }
  }
  return addressIn(token.text)
}

/** A page that describes an address, and ends like it. */
function isGuide(path: string): boolean {
  return /\/(?:docs?|documentation|developers?|guides?|reference)\//i.test(path)
}

function pathOf(url: string): string {
  return url.split(/[?#]/)[0] ?? ''
}

/** The address that a short text is: a URL, a path, `POST` with one of both, or a host with a path. */
export function addressIn(text: string): Address | undefined {
  const trimmed = text.trim()
  if (trimmed.length > 2048) return undefined
  const request = withMethod.exec(trimmed)
  const method = request?.[1]
  const value = request?.[2] ?? trimmed
  return isAddressText(value) ? { value, ...(method && { method }) } : undefined
}

function isAddressText(text: string): boolean {
  return (
    /^https?:\/\/[^\s]+$/i.test(text) ||
    /^\/(?:[^\s/][^\s]*)?$/.test(text) ||
    /^\$\{?[A-Z_]+\}?(?:\/\S*)?$/.test(text) ||
    /^(?:[a-z0-9][a-z0-9-]*\.)+[a-z]{2,}\/\S+$/i.test(text)
  )
}

/** The first address among tokens, with the text that stands before it. */
export function firstAddress(tokens: readonly Token[]): (Address & { before: string }) | undefined {
  let before = ''
  for (const token of tokens) {
    const address = addressOf(token)
    if (address) {
      const spoken = /\b(GET|POST|PUT|PATCH|DELETE)\b(?: (?:request )?to)?\s*$/.exec(before)?.[1]
      const method = address.method ?? spoken
      return { ...address, ...(method && { method }), before }
    }
    const path = token.kind === 'text' && /(?:^|\s)(\/[\w.~/{}-]+)/.exec(token.text)?.[1]
    if (path) return { value: path.replace(/[.,]$/, ''), before }
    before += token.text
  }
  return undefined
}

/** `programmatic` or `interactive`, by a word that says so, else by what the address looks like. */
export function modeOf(words: string, address: Address, usual?: Mode): Mode {
  const said = /\b(programmatic|interactive)(?:ally)?\b/i.exec(words)?.[1]?.toLowerCase()
  if (said === 'programmatic' || said === 'interactive') return said
  if (address.method) return address.method === 'GET' ? 'interactive' : 'programmatic'
  if (isPage(address.value)) return 'interactive'
  if (usual) return usual
  return /\b(?:human|person|browser|dashboard|portal|console)\b/i.test(words)
    ? 'interactive'
    : 'programmatic'
}

/** Whether an address looks like a page for people. */
export function isPage(address: string): boolean {
  if (address.includes('#/')) return true
  const path = address.replace(/^https?:\/\/[^/]*/i, '').split(/[?#]/)[0] ?? ''
  return /\/(?:login|log-in|sign-?in|sign-?up|authorize|consent|dashboard|console|portal|settings|account|(?:api-)?keys)(?:\/|$)/i.test(
    path,
  )
}
