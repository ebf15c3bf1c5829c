import { addressOf, modeOf } from '../address.ts'
import { isDenied } from './denial.ts'
import { meaningOf } from './labels.ts'
import type { Found, Rule } from './rule.ts'

/** "The `resource` identifier is `https://…`": a key of metadata in a sentence, with its value. */
export const proseKeys: Rule = (statement) => {
  const found: Found[] = []
  if (statement.code !== undefined || statement.cells) return found
  for (const { tokens, text } of statement.clauses) {
    for (const [index, token] of tokens.entries()) {
      if (token.kind !== 'code' || !/^[a-z]+(?:_[a-z]+)*$/.test(token.text)) continue
      const meaning = meaningOf(token.text)
      if (!meaning || meaning.weight < 4) continue
      let between = ''
      for (const next of tokens.slice(index + 1)) {
        const value = addressOf(next)?.value
        if (value === undefined) {
          between += next.text
          continue
        }
        if (!joins.test(between) || between.length > 90 || !/^https?:/i.test(value)) break
        const at = text.indexOf(next.text)
        if (isDenied(text, at, at + next.text.length)) break
        if (value.includes('/.well-known/')) break
        const { name, usual } = meaning
        const addressed = name.endsWith('_uri')
        const mode = addressed ? modeOf(text, { value }, usual) : undefined
        found.push({ name, value, mode, weight: 3, line: statement.line })
        if (name !== 'authorization_server') break
        between = ' is '
      }
    }
  }
  return found
}

/** What stands between a key and its value. */
const joins = /(?:^|\s)(?:is|are|lists?|at)\b|^\s*\(\s*$|[:=—–]\s*\S{0,30}\s*$/
