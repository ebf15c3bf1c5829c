import { addressOf, isPage } from '../address.ts'
import { requestsIn } from '../requests/in-code.ts'
import { type Token, wordsAfter, wordsBefore } from '../tokens.ts'
import { isDenied } from './denial.ts'
import { type Found, type Rule, roleOf } from './rule.ts'

/** The base URL for use and the MCP server, by the words around an address, and by example requests. */
export const addresses: Rule = (statement) => {
  const { line, code } = statement
  if (code !== undefined) return inCode(code, statement)
  const found: Found[] = []
  const inUse = roleOf(statement) === 'use'
  for (const { tokens, text } of statement.clauses) {
    for (const [index, token] of tokens.entries()) {
      const address = addressOf(token)
      if (!address || isOther(address.value)) continue
      const { value } = address
      if (isServer.test(wordsBefore(tokens, index)) && /^https:\/\/[^/]+\/?$/i.test(value)) {
        found.push({ name: 'authorization_server', value, weight: 2, line })
      }
      const at = text.indexOf(token.text)
      if (isDenied(text, at, at + token.text.length)) continue
      const before = wordsBefore(tokens, index)
      const after = wordsAfter(tokens, index)
      if (isMcp(value)) {
        const weight = /^https?:/i.test(value) && !value.includes('{') ? 2 : 1
        found.push({ name: 'mcp_url', value, weight, line })
      } else if (
        /^https?:/i.test(value) &&
        (isBase(value, before, after) || takesCredential(tokens, index))
      ) {
        if (/\bresource server\b/i.test(before.slice(-40)) || isResource.test(after)) {
          found.push({ name: 'resource', value, weight: 2, line })
        }
        const base = address.method ? baseOf(value) : value.replace(/\/\*?$/, '')
        if (base === undefined) continue
        found.push({ name: 'use_base_url', value: base, weight: inUse ? 3 : 2, line })
      }
    }
  }
  return found
}

const isResource = /^\W{0,6}(?:\(|as |is |—|-)\W*the resource server\b/i

function inCode(code: string, statement: Parameters<Rule>[0]): Found[] {
  const { line, lead = '' } = statement
  const found: Found[] = []
  const inUse = roleOf(statement) === 'use'
  const whole = code.trim()
  if (/^https?:\/\/\S+$/i.test(whole) && whole.length < 500) {
    if (isMcp(whole)) found.push({ name: 'mcp_url', value: whole, weight: 2, line })
    else if (baseHeading.test(`${statement.headings.at(-1) ?? ''}\n${lead.slice(-80)}`)) {
      found.push({ name: 'use_base_url', value: whole.replace(/\/\*?$/, ''), weight: 4, line })
    }
  }
  for (const { address, host } of requestsIn(code)) {
    const url =
      host !== undefined && address.startsWith('/') ? `https://${host}${address}` : address
    if (!/^https?:/i.test(url)) continue
    if (isMcp(url)) found.push({ name: 'mcp_url', value: url, weight: 2, line })
    else {
      const base = baseOf(url)
      const plumbing = isPlumbing(url)
      const registers = /\/regist\w*\/?$/i.test(url) && !/[A-Z]_[A-Z]|[<{]/.test(url)
      if (base === undefined || (plumbing && !registers)) continue
      const weight = plumbing ? 0.1 : inUse || /\bAPI\b/.test(lead) ? 1 : 0.5
      found.push({ name: 'use_base_url', value: base, weight, line })
    }
  }
  return found
}

/** The heading or the words above a block that holds nothing but an address. */
const baseHeading =
  /\b(?:base|root) (?:URL|address|path)s?\b|\bAPI (?:URL|root|base|host|endpoint)\b|\b(?:URL|URI|dirección|adresse) (?:base|de base)\b|\bBasis-?URL\b/i

/** "The authorization server is …", "the resource and authorization server share …". */
const isServer =
  /\bauthori[sz]ation server\b(?: \([^()]{0,40}\))?(?: (?:is|lives|runs|share))?(?: (?:at|on))?\W*$/i

function isMcp(value: string): boolean {
  if (/\/(?:tree|blob)\//.test(value)) return false
  return /(?:^|\/)mcp\/?$/i.test(value) || /^https?:\/\/mcp\.[^/]+\/?$/i.test(value)
}

/** Whether the words around an address say that the API is there. */
function isBase(value: string, before: string, after: string): boolean {
  if (isPage(value) || isPlumbing(value)) return false
  return (
    /\b(?:requests?|calls?) (?:to|against|is made to|are made to)\W*$/i.test(before) ||
    /\b(?:anfragen?|aufrufe?) an\W*$|\b(?:peticion(?:es)?|solicitud(?:es)?|requisiç(?:ão|ões)) (?:a|para)\W*$|\brequêtes? (?:à|vers)\W*$|\brichiest[ae] a\W*$/i.test(
      before,
    ) ||
    /\b(?:base url|api base|api root|api host|url base|url de base|basis-?url|resource server|(?:served|available|hosted|reachable) (?:from|under|at|on)|root of the api)\W{0,3}(?:is\W*)?$/i.test(
      before,
    ) ||
    /\bAPIs?\W+(?:(?:is|lives|runs)\W+)?(?:(?:at|on|under)\W*)?$/.test(before) ||
    /\bendpoints? (?:live|are|is)(?: all)?(?: served)? (?:at|on|under)\W*$/i.test(before) ||
    /\b(?:send|present|use|pass|include) (?:it|them|this|the (?:key|token|credential)s?)\b[^.;]{0,90}\b(?:to|with|against|at)\W*$/i.test(
      before,
    ) ||
    /\b(?:endpoints?|routes?|paths?|API calls?|calls?|methods?|resources?) (?:(?:all )?(?:live |are |is |exist )?)?(?:under|below|beneath|prefixed with)\W*$/i.test(
      before,
    ) ||
    /^\W{0,6}(?:\(|as |is |—|-)\W*(?:both )?(?:the |our )?(?:resource server|API\b)/i.test(after)
  )
}

const header = /^(?:Authorization|X-[\w-]+|[\w-]*api-?key):/i

/** Whether a credential, or its header, is to be sent to an address: "Send `X-Key: …` to", "Call … with the key". */
function takesCredential(tokens: readonly Token[], index: number): boolean {
  const { text = '' } = tokens[index] ?? {}
  if (isPage(text) || isPlumbing(text)) return false
  const isHeader = (one: Token | undefined) => one?.kind === 'code' && header.test(one.text)
  const sent =
    isHeader(tokens[index - 2]) &&
    /\b(?:send|present|use|pass|include|add|set)\b[^.;]{0,60}□ (?:header )?(?:to|with|against|at|on)\W*$/i.test(
      wordsBefore(tokens, index),
    )
  const behind = isHeader(tokens[index + 2])
  const called =
    /\b(?:call|request)\W*$/i.test(wordsBefore(tokens, index)) &&
    (behind ? /^ ?with\b/i : /^ ?with (?:the|this|your) (?:key|token|credential)\b/i).test(
      wordsAfter(tokens, index),
    )
  return sent || called
}

/** Origin and version segment of a request's address. */
function baseOf(address: string): string | undefined {
  return /^https?:\/\/[^/\s?#<>{}]+(?:\/(?:api\/)?v\d+(?=\/|$))?/i.exec(address)?.[0]
}

/** Requests of OAuth, of registration and of discovery are not what an API is used for. */
function isPlumbing(url: string): boolean {
  return (
    /\/\.well-known\/|\.(?:md|txt|html?)(?:$|[?#])|[A-Z]_[A-Z]/.test(url) ||
    /\/(?:[\w-]*(?:oauth2?|mcp|regist\w+|sign-?up)[\w-]*|authorize|token|revoke|introspect|claim|identity-token)(?:\/|$|\?)/i.test(
      url,
    )
  )
}

function isOther(value: string): boolean {
  return /\/\.well-known\/|\.(?:md|txt|json|ya?ml|html?)(?:$|[?#])|\/docs?(?:\/|$)/i.test(value)
}
