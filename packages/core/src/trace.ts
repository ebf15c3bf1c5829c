import type { Verb } from './consent/action.ts'
import { aside, codeOf, type Ending, type RefreshStatus } from './events.ts'
import type { Owner } from './owner.ts'

/** Something that takes time. Holds no secret. */
export type Operation =
  /** `channel` is how it was called: `ai-sdk`, `code`, `fetch`, `people`, `tick` … */
  | {
      readonly kind: 'verb'
      readonly verb: Verb
      readonly owner: Owner
      readonly channel: string
    }
  /** A credential is renewed, by this call or by another one that it waits for. */
  | {
      readonly kind: 'refresh'
      readonly owner: Owner
      readonly service: string
      /** The method that made the credential. */
      readonly method: string
    }
  /** One request on the wire, until the headers of its answer are there. A redirect makes another one. */
  | {
      readonly kind: 'request'
      /** What it is for: `discover`, `use`, `probe`, or a method's own name for it. */
      readonly name: string
      readonly method: string
      readonly origin: string
      /** Left out where it could hold a secret: of a method's requests, and after a redirect. */
      readonly path?: string
      /** How often the same was sent before, by a redirect, or for a newer credential. */
      readonly resent: number
    }

/** What came of it. Of a request `answered` with the service's HTTP status, whatever that is, or `failed`. */
export type OperationEnd = Omit<Ending, 'status'> & {
  readonly status: Ending['status'] | RefreshStatus
}

/**
 * Stands around each operation. It must call `run` at once, in whatever context shall be the one of all
 * that happens inside; the promise tells the end and never rejects. The operation goes on exactly once whatever
 * becomes of this: what it throws, or never calls, changes nothing.
 */
export type Trace = (operation: Operation, run: () => Promise<OperationEnd>) => unknown

/** Does it, with whoever traces standing around. */
export function traced<T>(
  trace: Trace | undefined,
  operation: Operation,
  act: () => Promise<T>,
  end: (value: T) => OperationEnd,
): Promise<T> {
  if (trace === undefined) return act()
  let acting: Promise<T> | undefined
  const once = () => {
    acting ??= act()
    return acting
  }
  aside(() =>
    trace(operation, () =>
      once().then(end, (error: unknown) => ({ status: 'failed', code: codeOf(error) })),
    ),
  )
  return once()
}
