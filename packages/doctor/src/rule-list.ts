import type { Severity } from './report.ts'
import { rules } from './rules/index.ts'

/** What a rule is, without how it checks. */
export interface RuleInfo {
  readonly id: string
  readonly severity: Severity
  /** The section of the RFC or of auth.md that says so. */
  readonly source: string
  /** What it finds, as one phrase. */
  readonly finds: string
}

/** All rules, for documentation and for a help text. */
export const ruleList: readonly RuleInfo[] = rules.map(({ id, severity, source, finds }) => ({
  id,
  severity,
  source,
  finds,
}))
