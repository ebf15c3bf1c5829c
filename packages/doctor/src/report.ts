/** How much a finding weighs: agents fail, some agents may fail, or it could be said better. */
export type Severity = 'error' | 'warning' | 'hint'

/** Where something is wrong. */
export interface Place {
  /** The document, or the address that answered. */
  readonly url: string
  /** Line in it, from 1, where it has lines. */
  readonly line?: number
  /** What of it: a member of metadata (`agent_auth.skill`) or a header field. */
  readonly at?: string
}

/** One thing that is wrong. All texts are one line without hidden characters, but for `text`. */
export interface Finding {
  /** Stable: what a configuration may name. */
  readonly rule: string
  readonly severity: Severity
  readonly place: Place
  /** What is wrong, with what was found there. */
  readonly problem: string
  /** The section of the RFC or of auth.md that says so. */
  readonly source: string
  /** What to do. */
  readonly fix: string
  /** What to write there, where that can be given. */
  readonly text?: string
}

/** One address that was asked. */
export interface Asked {
  readonly url: string
  readonly method: string
  /** Absent where nothing was answered; `error` then says why. */
  readonly status?: number
  readonly mediaType?: string
  readonly error?: string
}

/** What `diagnose` found. Plain JSON. */
export interface Report {
  /** The URL that was asked, or where the text is (or will be) published. */
  readonly target: string
  /** The text that was read, as far as there is one. */
  readonly document?: string
  /** Errors first, then by place. */
  readonly findings: readonly Finding[]
  readonly counts: Readonly<Record<Severity, number>>
  /** Every address that was asked; empty for a text. */
  readonly asked: readonly Asked[]
}

/** The severities, the heaviest first. */
export const severities: readonly Severity[] = ['error', 'warning', 'hint']
