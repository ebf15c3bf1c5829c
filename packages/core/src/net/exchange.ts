import { traced } from '../trace.ts'
import type { NetOptions } from './transport.ts'

/** What is said of a request to whoever traces. */
export interface Purpose {
  readonly name: string
  /** Left out where it could hold a secret. */
  readonly path?: string
  readonly resent: number
}

/** Sends one request and gives the answer as soon as its headers are there. All that core sends goes by here. */
export function exchange(
  { transport, trace }: NetOptions,
  request: Request,
  checkAddress: (address: string) => void,
  purpose: Purpose,
): Promise<Response> {
  const send = () => transport.request(request, checkAddress)
  if (trace === undefined) return send()
  const { method, url } = request
  const operation = { kind: 'request', ...purpose, method, origin: new URL(url).origin } as const
  return traced(trace, operation, send, ({ status }) => ({
    status: 'answered',
    httpStatus: status,
  }))
}
