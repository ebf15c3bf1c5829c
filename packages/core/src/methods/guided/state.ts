import type { TermsText } from '../../consent/action.ts'
import type { Json, Presentation } from '../method.ts'

/** One field of the request that a document describes, and who fills it. */
export interface Field {
  /** With the names of the objects around it: `owner.email`. */
  readonly name: string
  /**
   * `email`: the address of who registers · `terms`: `true`, which accepts the terms · `document`: what the
   * document's example has, unless the model says otherwise · `model`: what the model says.
   */
  readonly from: 'email' | 'terms' | 'document' | 'model'
  readonly type: 'string' | 'number' | 'boolean'
  readonly required: boolean
  /** Only with `document`. */
  readonly value?: string | number | boolean
  /** The service's words. */
  readonly note?: string
  readonly line: number
}

/** The request as it will be sent but for what is filled in, and where it is described. */
export interface Described {
  readonly url: string
  readonly body: 'json' | 'form'
  readonly fields: readonly Field[]
  /** The field of the answer that holds the credential, as {@link Field.name}. */
  readonly credential: string
  readonly document: string
  readonly line: number
  /** Where the terms can be read, if one of the fields accepts some. */
  readonly terms?: string
}

export interface Plan {
  readonly request: Described
  readonly presentation: Presentation
  readonly bases: readonly string[]
  readonly probe?: string
  /** Where a person deletes it. */
  readonly revocation?: string
}

/** What the model filled in, by the names of the fields. */
export type Values = Readonly<Record<string, string | number | boolean>>

/** Plain JSON; the credential is never in it. */
export interface State {
  readonly plan: Plan
  /** The terms as they were read. */
  readonly terms?: TermsText
  readonly values?: Values
  /** Times that the service has refused what was filled in. */
  readonly refusals: number
  /** The request whose answer was lost has not been settled. */
  readonly lost?: true
  /** When the request was sent, epoch milliseconds. */
  readonly sentAt?: number
}

/** What a registration leaves behind so that the next one needs no model. */
export interface Filled {
  readonly request: Described
  readonly values: Values
}

/** A filled form that an earlier registration left, if it is of this very request. */
export function filledBefore(recipe: Json | undefined, request: Described): Values | undefined {
  const { request: known, values } = (recipe ?? {}) as Partial<Filled>
  return JSON.stringify(known) === JSON.stringify(request) ? values : undefined
}
