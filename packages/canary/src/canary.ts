import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { Search } from './search.ts'

/** A secret that was found where none may be. */
export interface Finding {
  readonly sink: string
  /** What the secret is, without its value. */
  readonly secret: string
  /** The test that ran when it got there. */
  readonly test: string
}

interface Seen {
  readonly sink: string
  /** Of a request: the port that it went to. */
  readonly port?: number
  readonly test: string
}

interface Watched {
  readonly what: string
  readonly mayBeIn?: string | undefined
  readonly port?: number | undefined
}

/** A secret as the sandbox tells of it. */
export interface Issued {
  readonly kind: string
  readonly value: string
  /** Where the sandbox listens: the only server to which it may be sent. */
  readonly port?: number
}

/** One-time tokens that the service itself puts into the addresses it sends people and agents to. */
const inAddresses = [
  'mail_link_token',
  'redirect_token',
  'claim_attempt_token',
  'authorization_code',
]

/**
 * What a person is shown: part of the page that opens for nobody but that person, signed in, and the
 * code that they type there.
 */
const shownToPeople = ['claim_attempt_token', 'user_code']

/**
 * Secrets shorter than this cannot be told from ordinary text: of the sandbox's, the codes that a
 * person reads or types.
 */
const shortest = 8
/** The sink of what is sent to a server that did not issue it. */
const elsewhere = 'request to another server'
const maxFileBytes = 16 * 1024 * 1024
/** Each part on a line of its own: to measure what fits on one takes longer than all else, and breaks long texts. */
const printed = {
  depth: 12,
  maxArrayLength: 10_000,
  maxStringLength: null,
  compact: false,
  breakLength: Number.POSITIVE_INFINITY,
} as const

/**
 * Remembers every secret and all that could have leaked one, and searches the one for the other at the
 * end of a test file.
 */
export class Canary {
  readonly #secrets = new Map<string, Watched>()
  /** By the sink and the port, because one could be a place where the same text may stand; then by the text. */
  readonly #texts = new Map<string, Map<string, Seen>>()
  readonly #streams: { readonly seen: Seen; text: string }[] = []
  readonly #folders = new Map<string, Seen>()
  readonly #handedOverAt = new Set<number>()
  #off = false
  /** Names the test that runs. */
  currentTest: () => string = () => ''
  /** Called before each search: for secrets and texts that have to be fetched. */
  readonly sources: (() => void)[] = []

  /** A secret that may be found nowhere, or in one sink alone. `what` names it in a finding. */
  watch(value: string, what = 'a watched value', mayBeIn?: string): void {
    this.#watch(value, { what, mayBeIn })
  }

  /** The same for what a sandbox says that it issued. */
  issued({ kind, value, port }: Issued, where: string): void {
    if (shownToPeople.includes(kind)) return
    const mayBeIn = inAddresses.includes(kind) ? 'URL' : undefined
    this.#watch(value, { what: `${kind} of ${where}`, mayBeIn, port })
  }

  #watch(value: string, watched: Watched): void {
    if (value.length >= shortest) this.#secrets.set(value, watched)
  }

  /** Headers and body of a request: a secret may go to the server that issued it, and to no other. */
  request(port: number, text: string): void {
    this.#keep(elsewhere, text, { ...this.#seen(elsewhere), port })
  }

  /** A page of ours, at which a person hands over what a service has shown them. */
  handedOver(url: string): void {
    this.#handedOverAt.add(Number(new URL(url).port))
  }

  /** Something left us: it is searched as text, as JSON, as it is printed and as its copy is. */
  see(sink: string, value: unknown): void {
    for (const text of textsOf(value)) this.#keep(sink, text)
  }

  /** The same for text that comes piece by piece. */
  stream(sink: string): (piece: string | Uint8Array) => void {
    const stream = { seen: this.#seen(sink), text: '' }
    this.#streams.push(stream)
    const decoder = new TextDecoder()
    return (piece) => {
      stream.text += typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true })
    }
  }

  /** A folder that is searched at the end, and by `seeFiles` before it is removed. */
  folder(path: string): void {
    this.#folders.set(path, this.#seen('file'))
  }

  /** Searches what lies below a path now, where that is in a folder that is searched. */
  seeFiles(path: string): void {
    const within = [...this.#folders].find(
      ([folder]) => path === folder || path.startsWith(`${folder}/`),
    )
    if (within) for (const text of filesOf(path)) this.#keep('file', text, within[1])
  }

  /** Nothing is searched in this test file. */
  off(reason: string): void {
    if (reason === '') throw new TypeError('say why')
    this.#off = true
  }

  /** What was found since the last search, and forgets it all. */
  search(): readonly Finding[] {
    for (const source of this.sources) source()
    for (const folder of this.#folders.keys()) this.seeFiles(folder)
    this.see('environment', process.env)
    const search = new Search(this.#secrets.keys())
    const texts = [...this.#texts.values()].flatMap((own) =>
      [...own].map(([text, seen]) => ({ text, seen })),
    )
    const found = new Map<string, Finding>()
    for (const { text, seen } of [...texts, ...this.#streams]) {
      for (const value of search.find(text)) {
        const { what: secret = '', mayBeIn, port } = this.#secrets.get(value) ?? {}
        const { sink, test } = seen
        if (sink === mayBeIn) continue
        const theirs = port === undefined || port === seen.port
        if (sink === elsewhere && (theirs || this.#handedOverAt.has(seen.port ?? 0))) continue
        const one = { sink, test, secret }
        found.set(JSON.stringify(one), one)
      }
    }
    const off = this.#off
    this.#secrets.clear()
    this.#texts.clear()
    this.#streams.length = 0
    this.#folders.clear()
    this.#handedOverAt.clear()
    this.#off = false
    return off ? [] : [...found.values()]
  }

  #seen(sink: string): Seen {
    return { sink, test: this.currentTest() }
  }

  #keep(sink: string, text: string, seen: Seen = this.#seen(sink)): void {
    const key = `${sink} ${seen.port}`
    const own = this.#texts.get(key) ?? new Map<string, Seen>()
    this.#texts.set(key, own)
    if (!own.has(text)) own.set(text, seen)
  }
}

function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  const forms = [
    () => inspect(value, printed),
    () => JSON.stringify(value),
    () => inspect(structuredClone(value), printed),
    () => `${value}`,
  ]
  return forms.flatMap((form) => {
    try {
      return form() ?? []
    } catch {
      // It cannot be written so, and nothing can leak so.
      return []
    }
  })
}

function filesOf(path: string): readonly string[] {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return []
  if (stat.isDirectory()) {
    return [path, ...readdirSync(path).flatMap((name) => filesOf(join(path, name)))]
  }
  if (!stat.isFile() || stat.size > maxFileBytes) return [path]
  try {
    return [path, readFileSync(path, 'utf8')]
  } catch {
    return [path]
  }
}

const symbol = Symbol.for('authmd.canary')
const shared = globalThis as { [symbol]?: Canary }

shared[symbol] ??= new Canary()

/** The one of this process, whichever copy of this module asks. */
export const canary: Canary = shared[symbol]
