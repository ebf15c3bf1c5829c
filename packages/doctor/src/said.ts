import type { Fact, Statement } from '@authmd/core/reading'
import type { Document, Facts } from './facts.ts'

/** What a text states under one of these names, denials left out. */
export function stated({ reading }: Document, ...names: readonly Fact['name'][]): Fact[] {
  return reading.facts.filter(({ name, denied }) => !denied && names.includes(name))
}

/** Whether a text says that there is no such thing. */
export function isDenied({ reading }: Document, value: RegExp): boolean {
  return reading.facts.some((one) => one.denied && value.test(one.value))
}

/** The statements of a text that are words for a reader. */
export function wordsOf({ outline }: Document): Statement[] {
  return outline.statements.filter(({ code }) => code === undefined)
}

/** Whether a text, or one of its headings, says something in these words. */
export function says(document: Document, words: RegExp): boolean {
  return wordsOf(document).some(({ text }) => words.test(text))
}

const refusing =
  /\b(?:no|not|nothing|never|nor|neither|cannot|without|removed|deprecated|rejected|refused|ignored|disabled)\b|n’t\b|n't\b/i

/** Whether a sentence says it, and neither before nor behind that it is so no longer. */
export function isAffirmed(text: string, words: RegExp): boolean {
  const found = words.exec(text)
  if (!found) return false
  const before =
    text
      .slice(0, found.index)
      .split(/[.;!:\n](?:\s|$)/)
      .at(-1) ?? ''
  const behind = text.slice(found.index + found[0].length).split(/[.;!:\n](?:\s|$)/)[0] ?? ''
  return !refusing.test(`${before} ${behind}`)
}

/** The ways in that a text or metadata names. */
export function methodsOf({ document }: Facts): ReadonlySet<string> {
  return new Set(
    document ? stated(document, 'method', 'identity_type').map((one) => one.value) : [],
  )
}

const oauth = ['oauth-authcode', 'oauth-dcr', 'device-flow', 'client-credentials']

/** Whether what a text describes is OAuth, where RFCs say what the text leaves out. */
export function isOAuth(facts: Facts): boolean {
  return [...methodsOf(facts)].some((one) => oauth.includes(one))
}

/** Whether the service gives out a credential that an agent then has to send. */
export function givesCredential(facts: Facts): boolean {
  const { document } = facts
  if (!document || document.reading.why !== undefined) return false
  // "A claim proves registration only; it is no API credential." A claim token that is no key says nothing of keys.
  const givesNone =
    /\b(?:claim|registration)\b(?! (?:token|code|id|link|url|page)\b)[^.]{0,60}\b(?:not|no) an? (?:API |access )?(?:credential|key)\b/i
  if (says(document, givesNone)) return false
  const carried = stated(document, 'header_scheme', 'basic_auth').length > 0
  const methods = methodsOf(facts)
  if (methods.has('none-required') || methods.has('x402')) return carried
  const places = stated(document, 'claim_uri', 'register_uri').length > 0
  return carried || places || [...methods].some((one) => one !== 'none')
}

/** Whether the text leaves to a server's metadata, and to RFCs, what there is to say of tokens. */
export function leavesToMetadata(facts: Facts): boolean {
  const { document } = facts
  if (!document || stated(document, 'as_metadata_url').length === 0) return false
  // What a token endpoint gives is OAuth's, whatever one registers with. A key is not.
  const gives = facts.servers.some(({ json }) => typeof json?.token_endpoint === 'string')
  const tokens = /\bOIDC\b|\bOpenID Connect\b|\baccess[ _]tokens?\b/
  return isOAuth(facts) || gives || says(document, tokens)
}

/** Whether an address looks like a page where a person signs in or settles something. */
export function isPageForPeople(url: string): boolean {
  return /\/(?:log-?in|sign-?in|sign-?up|dashboard|console|settings|account|portal|billing|pay)(?:[/?#]|$)/i.test(
    url,
  )
}

/** The block of code that a text ends in, where its fence is never closed. */
export function openBlock({ outline, lines }: Document): Statement | undefined {
  const last = outline.statements.at(-1)
  if (last?.code === undefined) return undefined
  const quoted = /^[\s>]*(?:(?:[-*+]|\d+[.)])\s+)*/
  const bare = (line: string) => line.replace(quoted, '')
  const fence = /^(?:`{3,}|~{3,})/.exec(bare(lines[last.line - 1] ?? ''))?.[0]
  if (fence === undefined) return undefined
  const closed = (line: string) => bare(line).startsWith(fence)
  return lines.slice(last.line).some(closed) ? undefined : last
}

/** Whether nothing is registered and nothing is made. */
export function isOpen(facts: Facts): boolean {
  return methodsOf(facts).has('none-required') && !givesCredential(facts)
}

/** The line of the first heading, or the first line. */
export function top({ url, outline }: Document): { url: string; line: number } {
  const heading = outline.statements.find(({ kind }) => kind === 'heading')
  return { url, line: heading?.line ?? 1 }
}

/** The line of the first heading that speaks of something, else of the top. */
export function section(document: Document, words: RegExp): { url: string; line: number } {
  const { url, outline } = document
  const found = outline.statements.find(({ kind, text }) => kind === 'heading' && words.test(text))
  return found ? { url, line: found.line } : top(document)
}

/** The first line from this one on, of as many, that says or holds something, else this one. */
export function lineFrom(
  { lines }: Pick<Document, 'lines'>,
  line: number,
  what: RegExp | string,
  within: number = Number.POSITIVE_INFINITY,
): number {
  const holds = (one: string) => (typeof what === 'string' ? one.includes(what) : what.test(one))
  const down = lines.slice(line - 1, line - 1 + within).findIndex(holds)
  return line + Math.max(down, 0)
}
