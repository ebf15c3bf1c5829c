import type { Owner } from '../../packages/core/src/node/main.ts'

/** What a worker is told to do. `offset`: how far its clock is ahead. `seconds`: after that it gives up. */
export type Order =
  | { readonly do: 'count'; readonly on: boolean }
  | {
      readonly do: 'use'
      readonly id: number
      readonly offset: number
      readonly owner: Owner
      readonly credential: string
      readonly path: string
      /** All at once. */
      readonly calls: number
      readonly seconds: number
      /** Leases last this share of their time, so that a short run sees a dead holder replaced. */
      readonly leaseShare: number
    }
  | {
      readonly do: 'register'
      readonly id: number
      readonly offset: number
      readonly owners: readonly Owner[]
      readonly service: string
      readonly method: string
      readonly seconds: number
    }

/** One call, made until it was done or could not be. */
export interface Call {
  /** Until its end, from its first attempt on. */
  readonly ms: number
  /** Its attempts that failed. */
  readonly failed: readonly { readonly code: string; readonly retryable: boolean }[]
  /** How it ended: a status, or a code. */
  readonly last: string
  /** The outcome of one that ended otherwise than it should have, shortened. */
  readonly detail?: string
}

/** What a worker says. */
export type Report =
  | { readonly up: true }
  | { readonly wrong: string }
  | { readonly id: number; readonly calls: readonly Call[] }
