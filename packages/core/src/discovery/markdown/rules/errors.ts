import type { Statement } from '../statements.ts'
import { type Found, type Rule, roleOf } from './rule.ts'

/** Statuses, error codes and the shape of an error's body: from the section on errors, and where a sentence says that one is answered. */
export const errors: Rule = (statement) => {
  const { line, code, kind } = statement
  const inErrors = roleOf(statement) === 'errors'
  const found: Found[] = []
  const see = (
    name: 'error_code' | 'error_status' | 'error_shape',
    value: string,
    weight: number,
  ) => found.push({ name, value: value.slice(0, 500), weight, line })
  if (code !== undefined) {
    const text = code.trim()
    if (inErrors && isEnvelope(text)) {
      see('error_shape', text, 3)
      for (const name of namedIn(text)) see('error_code', name, 2)
    }
    for (const [, listed = ''] of text.slice(0, 65_536).matchAll(/#\s*errors?:(.{0,500})/gi)) {
      for (const [name] of listed.matchAll(snake)) see('error_code', name, 2)
    }
    return found
  }
  if (kind === 'heading') return found
  for (const { kind: form, text } of statement.tokens) {
    if (form !== 'code' || !isEnvelope(text)) continue
    see('error_shape', text, 2)
    for (const name of namedIn(text)) see('error_code', name, 2)
  }
  for (const value of spokenStatuses(statement)) see('error_status', value, 1)
  if (inErrors) {
    for (const { name, value } of listed(statement)) see(name, value, 3)
    if (!statement.cells) for (const { name, value } of inProse(statement)) see(name, value, 3)
  } else if (!statement.cells) {
    for (const { name, value } of answered(statement)) see(name, value, 1)
  }
  return found
}

const snake = /\b[A-Za-z][a-z0-9]*(?:_[a-z0-9]+)+\b/gi

/** Codes that RFC 6749, 6750 and 8628 define: an error wherever they are named. */
const standard = new Set(
  `access_denied authorization_pending expired_token insufficient_scope invalid_client invalid_grant
   invalid_request invalid_scope invalid_token server_error slow_down temporarily_unavailable
   unauthorized_client unsupported_grant_type unsupported_response_type`.split(/\s+/),
)

interface Named {
  readonly name: 'error_code' | 'error_status'
  readonly value: string
}

/** What stands at the head of a row or an item; a statement that is nothing but names is read whole. */
function listed(statement: Statement): Named[] {
  const { tokens, cells, columns } = statement
  const others = tokens.filter(({ kind }) => kind !== 'code').map(({ text }) => text)
  const bare = !cells && /^(?:[\s,;/|.·—-]|\band\b|\bor\b)*$/i.test(others.join(''))
  const heads = cells ? cells.slice(0, 2) : [bare ? tokens : tokens.slice(0, 4)]
  return heads.flatMap((head, column) => {
    if (column > 0 && !/code|error|status|response|answer/.test(columns?.[column] ?? 'error'))
      return []
    const found: Named[] = []
    for (const token of head) {
      const status = /^\s*(?:HTTP\s+)?([1-5]\d\d|[45]xx)\b/i.exec(token.text)?.[1]
      if (status) {
        found.push({ name: 'error_status', value: status })
        const name = token.kind === 'code' && /^\d{3} ([a-z]+(?:_[a-z]+)+)$/.exec(token.text)?.[1]
        if (name) found.push({ name: 'error_code', value: name })
      } else if (token === head[0] && token.kind === 'code' && isConstant(token.text)) {
        found.push({ name: 'error_code', value: token.text })
      } else if (token.kind === 'code' && isCode(token.text, bare) && !isField(token.text)) {
        found.push({ name: 'error_code', value: token.text })
      } else if (column === 0 && token.kind === 'text' && token.text.trim().length > 3 && !bare) {
        break
      }
    }
    return found
  })
}

/** Codes that are errors wherever they are named, and statuses, in the sentences of the section. */
function inProse({ tokens }: Statement): Named[] {
  return tokens.flatMap(({ kind, text }): Named[] => {
    if (kind !== 'code') return []
    if (/^[45]\d\d$/.test(text)) return [{ name: 'error_status', value: text }]
    const name = /^(?:error=")?([a-z]+(?:_[a-z]+)+)"?$/.exec(text)?.[1] ?? ''
    return standard.has(name) ? [{ name: 'error_code', value: name }] : []
  })
}

/** "returns `invalid_code`", "a `quota_used` error", "receive `401`". */
function answered({ clauses }: Statement): Named[] {
  const found: Named[] = []
  for (const { tokens } of clauses) {
    let before = ''
    for (const [index, { kind, strong, text }] of tokens.entries()) {
      const [, status, name] =
        /^(?:HTTP )?([45]\d\d)?(?:^|\s|$)([a-z]+(?:_[a-z]+)+)?/.exec(text) ?? []
      if ((kind === 'code' || (strong && !name)) && (status || name)) {
        const after = tokens[index + 1]?.text ?? ''
        const says =
          /\b(?:returns?|answers?|answered|responds?|responded|fails?|gets?|receives?|rejected|refused|on)\W+(?:\w+\W+){0,2}$/i.test(
            before,
          ) || /^\s*errors?\b/i.test(after)
        const told = /^\s*(?:=|means\b)/.test(after)
        const known = standard.has(name ?? '')
        if (name && (known || (says && !isField(name))))
          found.push({ name: 'error_code', value: name })
        else if ((says || told) && status) found.push({ name: 'error_status', value: status })
      }
      before += text
    }
  }
  return found
}

/** Codes in the body of an error. */
function namedIn(text: string): string[] {
  return Array.from(
    text.slice(0, 4_096).matchAll(/"(?:code|error)"\s*:\s*"([A-Za-z][A-Za-z_]{2,60})"/g),
    ([, name = '']) => name,
  )
}

/** "Returns HTTP 402", "a `401` or `403` response". */
function spokenStatuses({ clauses }: Statement): string[] {
  const found: string[] = []
  for (const { text } of clauses) {
    for (const [, status = ''] of text.slice(0, 2_048).matchAll(/\bHTTP ([45]\d\d)\b/g)) {
      found.push(status)
    }
    for (const [, status = ''] of text
      .slice(0, 2_048)
      .matchAll(/\b([45]\d\d) (?:means|indicates|signals)\b/g)) {
      found.push(status)
    }
    const pair =
      /\b(?:treat|receiv|get|return)\w* (?:an? )?([45]\d\d)\b(?:(?:,| or| and|\/)\s*\b([45]\d\d)\b)? (?:responses?|errors?|answers?)\b/i.exec(
        text.slice(0, 2_048),
      )
    for (const status of pair?.slice(1) ?? []) if (status) found.push(status)
  }
  return found
}

/** `client_id` and its like are fields, unless something is said to be wrong with them. */
function isField(name: string): boolean {
  return (
    /_(?:id|ids|token|auth|uris?|url|methods?|type|types|key|code|secret|name|scope|scopes|at|in|endpoint)$/.test(
      name,
    ) && !/^(?:invalid|expired|missing|unsupported|unknown|insufficient|wrong|bad)_/.test(name)
  )
}

function isCode(text: string, bare: boolean): boolean {
  if (/^[A-Za-z][a-z0-9]*(?:_[a-z0-9]+)+$/i.test(text)) return true
  return bare && /^[a-z]{4,40}$/.test(text)
}

function isConstant(text: string): boolean {
  return (
    /^[A-Z][A-Z0-9_]{3,40}$/.test(text) && !/^(?:POST|PATCH|DELETE|HEAD|JSON|HTTPS?)$/.test(text)
  )
}

function isEnvelope(text: string): boolean {
  return text.length < 4096 && /^\s*\{\s*"(?:errors?|err|message|code)"\s*:/.test(text)
}
