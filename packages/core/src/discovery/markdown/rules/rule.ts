import type { FactName, Mode } from '../../profile.ts'
import type { Statement } from '../statements.ts'

/** A fact as a rule finds it, before it is ranked and resolved. */
export interface Found {
  readonly name: FactName
  readonly value: string
  readonly mode?: Mode | undefined
  readonly denied?: true
  /** For a request: its method; `value` is then its address. */
  readonly method?: string
  /** From the `Host:` line of a request. */
  readonly host?: string
  readonly line: number
  /** 5 a key of the convention, 4 a key of a standard, 3 a human label, 2 by its place, 1 by the words around. */
  readonly weight: number
}

/** What a statement says, seen alone. Small and linear in the statement's length. */
export type Rule = (statement: Statement) => Found[]

/** What a section is about, by the innermost heading that says so; the title does not count. */
export type Role = 'discover' | 'method' | 'register' | 'claim' | 'use' | 'errors' | 'revoke'

const roles: readonly (readonly [Role, RegExp])[] = [
  ['errors', /\berrors?\b|failure|status codes/i],
  ['revoke', /\brevo(?:ke|king|cation)\b|\brotat/i],
  ['claim', /\bclaim/i],
  ['use', /\bus(?:e|ing)\b|\bcall(?:ing)?\b|\bapi requests?\b/i],
  ['register', /\bregist(?:er|ration|ering)\b|\bsign[- ]?up\b|\benrol|\bprovision/i],
  ['method', /\bmethods?\b/i],
  ['discover', /\bdiscover/i],
]

/** The role of the section that a statement stands in. */
export function roleOf(statement: Statement): Role | undefined {
  const headings = statement.headings.length > 1 ? statement.headings.slice(1) : statement.headings
  for (const heading of headings.toReversed()) {
    // "Register (one call)" is about registering.
    const plain = heading.replace(/\([^()]*\)/g, ' ')
    const find = (text: string) => roles.find(([, words]) => words.test(text))?.[0]
    const role = find(plain) ?? find(heading)
    if (role) return role
  }
  return undefined
}
