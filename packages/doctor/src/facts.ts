import type { DocumentReading, GuardedAnswer, Outline } from '@authmd/core/reading'
import type { Block, Label } from './labels.ts'
import type { Place, Severity } from './report.ts'

/** One address with what it answered. */
export interface Page {
  readonly url: string
  readonly answer?: GuardedAnswer
  /** Why there is no answer: a code of `AuthError`. */
  readonly error?: string
}

/** The text for agents. */
export interface Document {
  readonly url: string
  readonly text: string
  readonly lines: readonly string[]
  readonly outline: Outline
  readonly reading: DocumentReading
  readonly labels: readonly Label[]
  /** Copies of metadata in the text. */
  readonly blocks: readonly Block[]
  /** Absent for a text that was handed over. */
  readonly answer?: GuardedAnswer
}

/** A metadata document, or the address where one should be. */
export interface Metadata extends Page {
  /** The resource or the issuer that it is to be about. */
  readonly of: string
  /** Who says that it is there; `nobody` for the usual place. */
  readonly namedBy: 'challenge' | 'document' | 'resource' | 'nobody'
  /** Absent where the answer is no JSON object. */
  readonly json?: Readonly<Record<string, unknown>>
}

/** An address in the text that a reader may open. */
export interface Link extends Page {
  readonly line: number
  /** A program is to ask it, so that a page in its place is no answer. */
  readonly programmatic: boolean
  /** A page of documentation: its text was read. */
  readonly documentation: boolean
}

/** An address in the text or in metadata to which an agent sends something. */
export interface Endpoint {
  readonly name: string
  readonly url: string
  readonly place: Place
  /** A page for people is none. */
  readonly programmatic: boolean
}

/** All that the rules judge. What was not asked is empty. */
export interface Facts {
  /** The URL of the service; absent for a text. */
  readonly asked?: string
  /** The registrable domain of the service, where it is known. */
  readonly home?: string
  readonly document?: Document
  /** Where a text for agents should be and is not, with what is there instead. */
  readonly instead: readonly Page[]
  readonly resources: readonly Metadata[]
  readonly servers: readonly Metadata[]
  /** Keys of the servers (`jwks_uri`). */
  readonly keys: readonly Metadata[]
  /** What the servers' `agent_auth` calls the text for agents (`skill`). */
  readonly skills: readonly Page[]
  /** Addresses of the API, asked without a credential. */
  readonly probes: readonly Page[]
  readonly links: readonly Link[]
  readonly endpoints: readonly Endpoint[]
}

/** What a rule finds. */
export interface Problem {
  readonly place: Place
  readonly problem: string
  readonly fix: string
  readonly text?: string
}

/** One thing that is checked. */
export interface Rule {
  readonly id: string
  readonly severity: Severity
  readonly source: string
  /** What it finds, for the table of rules. */
  readonly finds: string
  check(facts: Facts): Iterable<Problem>
}
