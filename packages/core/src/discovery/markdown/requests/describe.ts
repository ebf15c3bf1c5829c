import type { DescribedRequest } from '../../profile.ts'
import { addressOf } from '../address.ts'
import { isDenied } from '../rules/denial.ts'
import type { Statement } from '../statements.ts'
import { plain, type Token } from '../tokens.ts'
import { saysOnce, statusIn } from './answers.ts'
import { Draft } from './draft.ts'
import { requestsIn } from './in-code.ts'

/** What a text says of the requests that it describes, by `POST /path` as written. */
export type Descriptions = ReadonlyMap<string, Omit<DescribedRequest, 'method' | 'url'>>

const maxDescribed = 100
const ofAnswer =
  /\b(?:respon(?:se|ses|ds?)|returns?|returned|answers?|repl(?:y|ies)|results?|success(?:ful)?|receives?|you get|get back|output|respuesta|resposta|réponse|antwort)\b|\b20[01]\b/i
const ofBody =
  /\b(?:body|payload|request|requests|send|sends|post|param(?:eter)?s?|fields?|input|arguments|include|cuerpo|corps|campos)\b/i
const asked = /\b(?:send|include|pass|provide|takes?|accepts?|request body|parameters?)\b/i
const identifier = /^[A-Za-z][\w-]{0,60}(?:\.[A-Za-z]\w{0,60}){0,4}$/

/**
 * Goes through a text once and gathers for each request what stands by it: header lines, body, tables
 * and lists of fields, the answer, and whether its credential is shown once. What belongs to a
 * request stands behind it, up to the next request or the next section.
 */
export function describeRequests(statements: readonly Statement[]): Descriptions {
  const drafts = new Map<string, Draft>()
  let current: Draft | undefined
  let depth = 0
  const open = (method: string, address: string): Draft | undefined => {
    const key = `${method} ${address}`
    const draft = drafts.get(key) ?? new Draft()
    if (drafts.size < maxDescribed) drafts.set(key, draft)
    return drafts.get(key)
  }
  for (const statement of statements) {
    const { kind, code, headings } = statement
    if (kind === 'heading') {
      const inside = headings.length >= depth || isPart(statement.text)
      if (!inside || !isPart(statement.text)) current = undefined
    }
    if (code !== undefined) {
      const described = requestsIn(code)
      for (const one of described) {
        current = open(one.method, one.address)
        current?.addCode(one, statement.codeLine ?? statement.line)
        depth = headings.length
      }
      if (described.length === 0 && current) readBlock(current, statement)
      continue
    }
    const named = kind === 'row' ? undefined : namedIn(statement)
    if (named) {
      current = open(named.method, named.address)
      depth = headings.length + (kind === 'heading' ? 1 : 0)
    }
    if (!current || kind === 'heading') continue
    if (kind === 'row') readRow(current, statement)
    else readWords(current, statement, named?.at ?? 0)
    if (current.answer && saysOnce(statement.text.slice(0, 2_048))) {
      current.shownOnce(statement.line)
    }
  }
  return new Map(Array.from(drafts, ([key, draft]) => [key, draft.finish()]))
}

/** Headings that go on about the request before them. */
function isPart(heading: string): boolean {
  return ofAnswer.test(heading) || (ofBody.test(heading) && heading.length < 40)
}

/** The request that a heading or a sentence names: `POST /path`; what only reads is named in passing. */
function namedIn({ kind, clauses }: Statement) {
  for (const { tokens, text } of clauses) {
    let at = 0
    for (const token of tokens) {
      const address = addressOf(token)
      const before = text.slice(Math.max(0, at - 60), at)
      const spoken = /\b(POST|PUT|PATCH)\b(?: (?:requests? )?to)?(?: the)?\W*$/.exec(before)?.[1]
      const method = address?.method ?? spoken
      const start = text.indexOf(token.text, at)
      at = start < 0 ? at : start + token.text.length
      if (!address || !method || (method === 'GET' && kind !== 'heading')) continue
      if (!isDenied(text, start, at)) return { method, address: address.value, at }
    }
  }
  return undefined
}

/** A block without a request of its own: the body or the answer of the request before it. */
function readBlock(draft: Draft, { code = '', codeLine, line, lead = '', headings }: Statement) {
  if (!/[{=]/.test(code.slice(0, 4_096))) return
  const piece = { text: code, line: 0 }
  const at = codeLine ?? line
  const near = lead.slice(-160)
  const section = headings.at(-1) ?? ''
  const isAnswer =
    /^\s*HTTP\/[\d.]+\s+\d{3}/.test(code) ||
    ofAnswer.test(near) ||
    (!ofBody.test(near) && (draft.hasFields || ofAnswer.test(section)))
  if (isAnswer) draft.addAnswer(piece, at, statusIn(near))
  else draft.addBody(piece, at)
}

/** A row of a table whose head names fields: `| Field | Required | Meaning |`. */
function readRow(draft: Draft, { cells = [], columns = [], headings, lead = '', line }: Statement) {
  const at = columns.findIndex((column) =>
    /^(?:field|name|param(?:eter)?|key|property|attribute|campo|champ)s?\b/.test(column),
  )
  const name = plain(cells[at] ?? [])
    .replace(/[*?]$/, '')
    .trim()
  if (at < 0 || !identifier.test(name)) return
  const about = `${headings.at(-1) ?? ''} ${lead.slice(-160)}`
  if (ofAnswer.test(about) && !draft.hasField(name)) {
    draft.addAnswerFields([name], line)
    return
  }
  const needed = columns.findIndex((column) =>
    /^(?:required|mandatory|req|optional)\b/.test(column),
  )
  const words = cells
    .filter((_, index) => index !== at && index !== needed)
    .map(plain)
    .join(' — ')
  draft.describeField(
    name,
    words,
    line,
    needed < 0 ? undefined : isYes(cells[needed], columns[needed]),
  )
}

function isYes(cell: readonly Token[] | undefined, column = ''): boolean | undefined {
  const said = plain(cell ?? []).toLowerCase()
  const yes = /^(?:yes|true|required|✓|✅|x|y|always|sí|sim|oui|ja)\b|^[✓✅]/.test(said)
  const no = /^(?:no|false|optional|—|-|✗|❌|n|não|non|nein)(?:\W|$)/.test(said)
  if (!yes && !no) return undefined
  return column.startsWith('optional') ? !yes : yes
}

/** Fields in sentences and lists: "`email` (required)", "with `name` and `email`", "returns `api_key`". */
function readWords(
  draft: Draft,
  { kind, tokens, clauses, lead = '', line }: Statement,
  from: number,
) {
  const [first] = tokens
  const label = first && (first.kind === 'code' || first.strong) ? first.text.replace(/:$/, '') : ''
  if (kind === 'item' && identifier.test(label)) {
    const words = plain(tokens.slice(1)).replace(/^[\s:—–-]+/, '')
    const answered = ofAnswer.test(lead.slice(-160)) && !asked.test(lead.slice(-60))
    if (answered) draft.addAnswerFields([label], line)
    else if (
      draft.hasField(label) ||
      ofBody.test(lead.slice(-160)) ||
      /^\W*(?:required|optional)\b/i.test(words)
    ) {
      draft.describeField(label, words, line)
    }
    return
  }
  let passed = from === 0
  for (const clause of clauses) {
    let before = ''
    for (const [index, token] of clause.tokens.entries()) {
      if (token.kind === 'code')
        readCode(draft, token.text, {
          before,
          after: clause.tokens[index + 1]?.text ?? '',
          line,
          passed,
        })
      if (addressOf(token)) passed = true
      before += token.text
    }
  }
}

interface Around {
  readonly before: string
  readonly after: string
  readonly line: number
  /** The request stands before it. */
  readonly passed: boolean
}

function readCode(draft: Draft, text: string, { before, after, line, passed }: Around): void {
  const near = before.slice(-120)
  const isAnswer =
    ofAnswer.test(near) || /^\s*is (?:your|the) (?:api key|token|credential)/i.test(after)
  if (/^\s*\{/.test(text)) {
    if (isAnswer) draft.addAnswer({ text, line: 0 }, line)
    else if (passed) draft.addBody({ text, line: 0 }, line)
    return
  }
  if (!identifier.test(text) || /^[A-Z]+$/.test(text)) return
  if (isDenied(`${near}${text}${after}`, near.length, near.length + text.length)) return
  const told =
    /^\s*(?:\(|is |are |— |: )(?:an? )?(required|optional)\b/i.exec(after)?.[1] ??
    /\b(required|optional)(?: fields?| parameters?)?(?: are| is)?\W*(?:(?:and|or|,)\W*)*$/i.exec(
      near,
    )?.[1]
  if (told !== undefined || draft.hasField(text)) {
    draft.describeField(text, '', line, told === undefined ? undefined : /^r/i.test(told))
  } else if (isAnswer) draft.addAnswerFields([text], line)
  else if (
    passed &&
    /\b(?:with|body|containing|including|sending|fields?|your|and)\W*$/i.test(near)
  ) {
    draft.describeField(text, '', line)
  }
}
