import { type Found, type Rule, roleOf } from './rule.ts'

/** Statuses, error codes and the shape of an error's body, from the section on errors. */
export const errors: Rule = (statement) => {
  const { line } = statement
  const inErrors = roleOf(statement) === 'errors'
  const found: Found[] = []
  if (statement.code !== undefined) {
    const code = statement.code.trim()
    if (inErrors && isEnvelope(code)) {
      found.push({ name: 'error_shape', value: code.slice(0, 500), weight: 3, line })
    }
    return found
  }
  for (const token of statement.tokens) {
    if (token.kind === 'code' && isEnvelope(token.text)) {
      found.push({ name: 'error_shape', value: token.text.slice(0, 500), weight: 2, line })
    }
  }
  if (!inErrors || statement.kind === 'heading') return found
  const heads = statement.cells ? statement.cells.slice(0, 2) : [statement.tokens.slice(0, 4)]
  for (const [column, tokens] of heads.entries()) {
    const about = statement.columns?.[column] ?? 'error'
    if (column > 0 && !/code|error|status/.test(about)) continue
    for (const token of tokens) {
      const status = /^\s*(?:HTTP\s+)?([1-5]\d\d|[45]xx)\b/i.exec(token.text)?.[1]
      if (status) found.push({ name: 'error_status', value: status, weight: 3, line })
      else if (token.kind === 'code' && /^[A-Za-z][a-z0-9]*(?:_[a-z0-9]+)+$/i.test(token.text)) {
        found.push({ name: 'error_code', value: token.text, weight: 3, line })
      } else if (column === 0 && token.kind === 'text' && token.text.trim().length > 3) break
    }
  }
  return found
}

function isEnvelope(text: string): boolean {
  return text.length < 4096 && /^\s*\{\s*"(?:errors?|err|message|code)"\s*:/.test(text)
}
