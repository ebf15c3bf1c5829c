import { parseJson } from '../../../net/json.ts'
import type { Mode } from '../../profile.ts'
import { addressIn, modeOf } from '../address.ts'
import { meaningOf } from './labels.ts'
import type { Found, Rule } from './rule.ts'

/** Keys whose values count in a block of data; human labels do not. */
const keys = new Set(
  `register_uri registration_uri registration_endpoint identity_endpoint claim_uri claim_endpoint
   revocation_uri revocation_endpoint claim_url resource authorization_servers issuer mcp_url`.split(
    /\s+/,
  ),
)

const issued = new Set(
  'access_token api_key apikey token claim_token user_code registration_id identity_assertion client_secret'.split(
    ' ',
  ),
)

/** Metadata repeated in the text: JSON, or YAML as far as `key: value` and flat lists go. */
export const structured: Rule = (statement) => {
  const { code, info = '', line } = statement
  if (code === undefined || code.length > 65_536) return []
  const entries: [string, string][] = []
  const text = code.trim()
  if (text.startsWith('{')) {
    let data: unknown
    try {
      data = parseJson(text)
    } catch {
      return []
    }
    collect(data, entries)
    // An answer's example names what one registration got, not where all go.
    if (entries.some(([key]) => issued.has(key))) return answered(entries, line)
  } else if (['yaml', 'yml', 'toml', ''].includes(info) && /^[\w-]+\s*:/m.test(text)) {
    collectLines(text.split('\n'), entries)
  }
  return entries.flatMap(([key, value]): Found[] => {
    if (key === 'identity_types_supported' || key === 'supported_identity_types') {
      return [{ name: 'identity_type', value, weight: 4, line }]
    }
    const meaning = keys.has(key) ? meaningOf(key) : undefined
    const address = addressIn(value)
    if (!meaning || !address) return []
    const usual: Mode | undefined = key.endsWith('_uri') ? undefined : meaning.usual
    const addressed = ['register_uri', 'claim_uri', 'revocation_uri'].includes(meaning.name)
    const mode = addressed ? modeOf('', address, usual) : undefined
    return [{ name: meaning.name, value: address.value, mode, weight: 4, line }]
  })
}

/** A claim page that an answer's example shows, unless it is made for one registration. */
function answered(entries: readonly [string, string][], line: number): Found[] {
  return entries.flatMap(([key, value]): Found[] => {
    const address = /^claim_ur[il]$/.test(key) ? addressIn(value) : undefined
    if (!address || /[<{?…]|\.\.\.|_here|token/i.test(value)) return []
    return [
      { name: 'claim_uri', value, mode: modeOf('', address, 'programmatic'), weight: 2.5, line },
    ]
  })
}

function collect(data: unknown, into: [string, string][]): void {
  if (typeof data !== 'object' || data === null || into.length > 200) return
  for (const [key, value] of Object.entries(data)) {
    if (typeof value === 'string') into.push([key.toLowerCase(), value])
    else if (Array.isArray(value)) {
      for (const item of value.slice(0, 50)) {
        if (typeof item === 'string') into.push([key.toLowerCase(), item])
        else collect(item, into)
      }
    } else collect(value, into)
  }
}

/** `MCP   https://…`: labels in capitals, set in columns. */
export const aligned: Rule = ({ code, line }) => {
  const found: Found[] = []
  for (const text of (code ?? '').split('\n').slice(0, 200)) {
    const [, label = '', value = ''] =
      /^([A-Z][A-Z_]{1,24}) {2,}(https?:\S{1,500})/.exec(text) ?? []
    const meaning = label === '' ? undefined : meaningOf(label)
    if (meaning?.name !== 'mcp_url' && meaning?.name !== 'use_base_url') continue
    found.push({ name: meaning.name, value, weight: 3, line })
  }
  return found
}

function collectLines(lines: readonly string[], into: [string, string][]): void {
  let listOf = ''
  for (const line of lines.slice(0, 500)) {
    const item = /^\s*-\s+(\S.*)$/.exec(line)
    if (item) {
      if (listOf) into.push([listOf, unquote(item[1] ?? '')])
      continue
    }
    const pair = /^\s*([\w-]+)\s*:\s*(.*)$/.exec(line)
    if (!pair) continue
    const key = (pair[1] ?? '').toLowerCase()
    const value = pair[2] ?? ''
    listOf = value === '' ? key : ''
    const values = value.startsWith('[') ? value.replace(/^\[|\]\s*$/g, '').split(',') : [value]
    for (const one of values) if (one.trim()) into.push([key, unquote(one)])
  }
}

function unquote(text: string): string {
  return text.trim().replace(/^(["'])(.*)\1$/, '$2')
}
