import { AuthError, allowLoopback, type NetLimits, type Transport } from '@authmd/core'
import { nodeTransport } from '@authmd/core/node'
import { createGuardedFetch, withoutHidden } from '@authmd/core/reading'
import { nowhere } from './document.ts'
import type { Facts } from './facts.ts'
import { factsOf, factsOfText } from './gather.ts'
import type { Asked, Finding, Place, Report, Severity } from './report.ts'
import { severities } from './report.ts'
import { rules } from './rules/index.ts'

/** A live service, or a text with the address at which it is (or will be) published. */
export type Subject =
  | { readonly service: string }
  | { readonly text: string; readonly url?: string }

/** Settings of {@link diagnose}. */
export interface DiagnoseOptions {
  /** Opens the connections. Default: {@link nodeTransport}. */
  readonly transport?: Transport
  /** Whether a service on this machine may be checked. Default: true. */
  readonly loopback?: boolean
  /** Of one request: 1 MiB, 10 s and 5 redirects by default. */
  readonly limits?: Partial<NetLimits>
  /** Milliseconds for all requests together. Default: 60,000. What is open then counts as not answered. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** One rule finds no more than this; what is wrong everywhere need not be said fifty times. */
const maxOfRule = 10

/**
 * Checks what a service publishes for agents: its auth.md, its metadata, how its API refuses one who has
 * no key. Only reads (GET and HEAD), registers nothing, sends no credential, at most 90 requests; private
 * addresses that a document names are never asked. A text alone is checked without any request.
 *
 * @throws AuthError `invalid_url`, `address_refused` for the URL; `network_failed` where its host
 *   cannot be reached, or not in time; `aborted`
 * @example
 * const { findings, counts } = await diagnose({ service: 'https://api.vendor.example' })
 */
export async function diagnose(subject: Subject, options: DiagnoseOptions = {}): Promise<Report> {
  if ('text' in subject) {
    const address = URL.parse(subject.url ?? nowhere)
    if (address === null || !/^https?:$/.test(address.protocol)) {
      throw new AuthError('invalid_url', 'the address of a text is not an absolute URL')
    }
    const facts = factsOfText(subject.text, subject.url)
    return reportOf(facts, subject.url ?? nowhere, [])
  }
  const guarded = createGuardedFetch({
    transport: options.transport ?? nodeTransport(),
    // Core lets nobody be led to loopback who did not start there.
    ...((options.loopback ?? true) && { [allowLoopback]: true as const }),
    ...(options.limits && { limits: options.limits }),
  })
  const { facts, asked } = await factsOf(subject.service, guarded, {
    timeoutMs: options.timeoutMs ?? 60_000,
    ...(options.signal && { signal: options.signal }),
  })
  return reportOf(facts, facts.asked ?? subject.service, asked)
}

function reportOf(facts: Facts, target: string, asked: readonly Asked[]): Report {
  const findings = rules
    .flatMap((rule) => {
      const found = [...rule.check(facts)].slice(0, maxOfRule)
      return found.map(({ place, problem, fix, text }): Finding => {
        const { id, severity, source } = rule
        const more = text === undefined ? {} : { text: cleaned(text) }
        return {
          rule: id,
          severity,
          place: clean(place),
          problem: oneLine(problem),
          source,
          fix: oneLine(fix),
          ...more,
        }
      })
    })
    .sort(byWeightAndPlace)
  const count = (one: Severity) => findings.filter(({ severity }) => severity === one).length
  return {
    target: cleaned(target),
    ...(facts.document && { document: cleaned(facts.document.url) }),
    findings,
    counts: { error: count('error'), warning: count('warning'), hint: count('hint') },
    asked: asked.map((one) => ({ ...one, url: cleaned(one.url) })),
  }
}

function byWeightAndPlace(a: Finding, b: Finding): number {
  const weight = severities.indexOf(a.severity) - severities.indexOf(b.severity)
  if (weight !== 0) return weight
  const where = a.place.url.localeCompare(b.place.url)
  return where !== 0 ? where : (a.place.line ?? 0) - (b.place.line ?? 0)
}

function clean({ url, line, at }: Place): Place {
  return {
    url: cleaned(url),
    ...(line !== undefined && { line }),
    ...(at !== undefined && { at: cleaned(at) }),
  }
}

function cleaned(text: string): string {
  return withoutHidden(text).slice(0, 1_000)
}

function oneLine(text: string): string {
  return cleaned(text).replace(/\s+/g, ' ')
}
