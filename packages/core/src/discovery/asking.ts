import { AuthError } from '../errors.ts'
import type { GuardedAnswer, GuardedFetch } from '../net/transport.ts'
import { checkUrl, registrableDomain } from '../net/url.ts'
import { cacheFacts } from './freshness.ts'
import type { Tried } from './profile.ts'

/** Addresses that answered "not here", until when (epoch milliseconds). Kept by the caller, in memory. */
type NotHere = Map<string, number>

/** What discovery works with. */
export interface DiscoverDeps {
  readonly fetch: GuardedFetch
  /** Epoch milliseconds. */
  now(): number
  /** Shared between calls, so that what is not there is not asked for again within 10 minutes. */
  readonly notHere?: NotHere
  readonly signal?: AbortSignal
}

/** What is hoped for at an address. */
export type Wanted = 'anything' | 'json' | 'markdown'

/** One request of a wave with its answer, as far as there is one. */
export interface Asked {
  readonly url: string
  /** The answer, where it is what was wanted (or, for `anything`, any answer at all). */
  readonly answer?: GuardedAnswer
  readonly error?: AuthError
  /** Writes down what came of it. */
  verdict(text: string): void
}

const perWave = { 1: 8, 2: 6, 3: 4 } as const
const inAll = 16
const perHost = 3
const rememberMs = 10 * 60_000
const maxRemembered = 2_000

/** Asks addresses: each once, so many a wave, 3 at a time per host, 16 in all; keeps what was tried. */
export class Asking {
  readonly tried: Tried[] = []
  readonly warnings: Set<string> = new Set()
  /** One of the requests to this host got an answer of some kind. */
  readonly answered: Set<string> = new Set()
  private readonly known = new Map<string, Promise<Asked>>()
  private readonly counts = { 1: 0, 2: 0, 3: 0 }
  private readonly unreachable: string[] = []
  private sent = 0
  private readonly busy = new Map<string, { running: number; queue: (() => void)[] }>()
  private readonly start: string
  private readonly deps: DiscoverDeps

  constructor(start: string, deps: DiscoverDeps) {
    this.start = start
    this.deps = deps
  }

  has(url: string): boolean {
    return this.known.has(url)
  }

  /** Asks once; the second time gives the first answer. `undefined` where the wave has no room left. */
  ask(url: string, wave: 1 | 2 | 3, wanted: Wanted): Promise<Asked> | undefined {
    const known = this.known.get(url)
    if (known) return known
    const error = this.refusal(url)
    if (error) {
      this.tried.push({ url: url.slice(0, 500), wave, verdict: wordsFor(error) })
      return this.keep(url, { url, error, verdict: () => {} })
    }
    const until = this.deps.notHere?.get(url)
    if (until !== undefined && until > this.deps.now() && wanted !== 'anything') {
      this.tried.push({ url, wave, verdict: 'not here (remembered)' })
      return this.keep(url, { url, verdict: () => {} })
    }
    if (this.counts[wave] >= perWave[wave] || this.sent >= inAll) return undefined
    this.counts[wave] += 1
    const asked = this.once(url, wave, wanted)
    this.known.set(url, asked)
    return asked
  }

  /** Hosts that cannot be reached count as "not here" once we know that the network itself works. */
  rememberUnreachable(): void {
    if (this.answered.size > 0) for (const url of this.unreachable) this.remember(url)
  }

  private keep(url: string, asked: Asked): Promise<Asked> {
    const kept = Promise.resolve(asked)
    this.known.set(url, kept)
    return kept
  }

  private refusal(url: string): AuthError | undefined {
    try {
      checkUrl(url, { start: this.start, loopbackAllowed: true })
      return undefined
    } catch (error) {
      if (AuthError.isInstance(error)) return error
      throw error
    }
  }

  private async once(url: string, wave: 1 | 2 | 3, wanted: Wanted): Promise<Asked> {
    const index = this.tried.push({ url, wave, verdict: 'asked' }) - 1
    const note = (entry: Partial<Tried>): void => {
      this.tried[index] = { ...(this.tried[index] as Tried), ...entry }
    }
    const verdict = (text: string): void => note({ verdict: text })
    let answer: GuardedAnswer
    try {
      answer = await this.request(url, wanted === 'anything' ? 'HEAD' : 'GET', wanted)
      const again = [405, 501].includes(answer.status) || isMarkdown(answer)
      if (wanted === 'anything' && again) answer = await this.request(url, 'GET', wanted)
    } catch (error) {
      if (!AuthError.isInstance(error) || error.code === 'aborted') throw error
      verdict(wordsFor(error))
      const silent = error.code === 'network_failed'
      if (silent && !isOwnHost(url, this.start)) this.unreachable.push(url)
      else if (silent || error.code === 'response_timeout') {
        note({ transient: true })
        this.warnings.add(`${url} did not answer; worth asking again later.`)
      }
      return { url, error, verdict }
    }
    this.answered.add(new URL(url).host)
    note({
      status: answer.status,
      ...(answer.mediaType && { mediaType: answer.mediaType }),
      ...cacheFacts(answer.headers),
    })
    if (domainOf(answer.url) !== domainOf(url)) {
      verdict('not used: it leads to another domain')
      return { url, verdict }
    }
    const { status } = answer
    if (failsNow(status)) note({ transient: true })
    if (wanted === 'anything') {
      verdict(status < 500 ? 'answers' : `failed with ${status}`)
      return { url, answer, verdict }
    }
    const why = whyNot(answer, wanted)
    if (why === undefined) return { url, answer, verdict }
    verdict(why)
    if (why.startsWith('not here')) this.remember(url)
    else this.warnings.add(`${url} failed with ${status}; worth asking again later.`)
    return { url, verdict }
  }

  private async request(url: string, method: string, wanted: Wanted): Promise<GuardedAnswer> {
    this.sent += 1
    const release = await this.turn(new URL(url).host)
    const accept = {
      json: 'application/json',
      markdown: 'text/markdown, text/plain;q=0.9',
      anything: '*/*',
    }
    try {
      return await this.deps.fetch({
        url,
        method,
        start: this.start,
        redirects: 'checked',
        headers: { accept: accept[wanted] },
        ...(this.deps.signal && { signal: this.deps.signal }),
      })
    } finally {
      release()
    }
  }

  private async turn(host: string): Promise<() => void> {
    const slot = this.busy.get(host) ?? { running: 0, queue: [] }
    this.busy.set(host, slot)
    if (slot.running >= perHost) await new Promise<void>((resolve) => slot.queue.push(resolve))
    else slot.running += 1
    return () => {
      const next = slot.queue.shift()
      if (next) next()
      else slot.running -= 1
    }
  }

  private remember(url: string): void {
    const { notHere } = this.deps
    if (!notHere) return
    notHere.delete(url)
    notHere.set(url, this.deps.now() + rememberMs)
    const oldest = notHere.keys().next()
    if (notHere.size > maxRemembered && !oldest.done) notHere.delete(oldest.value)
  }
}

/** The registrable domain of a URL's host; the host itself where there is none. */
export function domainOf(url: string): string {
  const { hostname } = new URL(url)
  return registrableDomain(hostname) ?? hostname
}

/** Whether an answer is Markdown by its media type. */
export function isMarkdown({ status, mediaType }: GuardedAnswer): boolean {
  return status === 200 && /^text\/(?:x-)?markdown$/.test(mediaType)
}

/** The service says that it cannot answer just now. A 502 comes from a proxy that knows no such place. */
function failsNow(status: number): boolean {
  return (status >= 500 && status !== 502) || [408, 425, 429].includes(status)
}

/** Why an answer is not what was wanted: other 4xx, 502 and a page in its place are "not here". */
function whyNot(answer: GuardedAnswer, wanted: 'json' | 'markdown'): string | undefined {
  const { status, mediaType } = answer
  if (failsNow(status)) return `failed with ${status}`
  if (status !== 200) return `not here: ${status}`
  const text = answer.text.trimStart().slice(0, 200).toLowerCase()
  if (text === '') return 'not here: empty'
  const page = text.startsWith('<!doctype') || text.startsWith('<html')
  if (wanted === 'json') return text.startsWith('{') ? undefined : 'not here: no JSON'
  if (page || /html|json|xml/.test(mediaType)) return 'not here: no Markdown'
  const plain = mediaType === '' || /^text\/|octet-stream/.test(mediaType)
  return plain ? undefined : 'not here: no Markdown'
}

function wordsFor({ code }: AuthError): string {
  if (code === 'network_failed') return 'unreachable'
  if (code === 'response_timeout') return 'no answer in time'
  if (code === 'response_too_large') return 'not used: too large'
  return `refused: ${code}`
}

function isOwnHost(url: string, start: string): boolean {
  return new URL(url).host === new URL(start).host
}
