import { commandAt, shellWords } from './shell.ts'

/** A piece of a block of code: a body, an answer. */
export interface Piece {
  readonly text: string
  /** Line in the block, from 0. */
  readonly line: number
}

/** A request that a block of code or a line of text describes. */
export interface Described {
  readonly method: string
  readonly address: string
  /** Line in the block, from 0. */
  readonly line: number
  readonly host?: string
  /** Header lines, as written. */
  readonly headers: readonly string[]
  readonly body?: Piece
  readonly answer?: Piece
}

const maxLines = 500
const start = /^[\s│|]*(?:(?:\d{1,2}[.)]|[-*#→])\s+)?(GET|POST|PUT|PATCH|DELETE|HEAD)\s+([^\s,;]+)/
const isAddress = /^(?:https?:|\/|\$|\{|<)/i
const command = /(?:^|[\s$("`])curl\s/
const called =
  /\b(?:requests|httpx|axios|client|session|http)\.(get|post|put|patch|delete)\(\s*f?["'`](https?:[^"'`\s]{1,500})/
const fetched = /\bfetch\(\s*["'`](https?:[^"'`\s]{1,500})["'`]/

/** `POST /path` with headers and body, curl commands and calls of HTTP libraries in a block of code. */
export function requestsIn(code: string): Described[] {
  const requests: Described[] = []
  const lines = code.split('\n').slice(0, maxLines)
  for (let index = 0; index < lines.length; index++) {
    const line = (lines[index] ?? '').slice(0, 4096)
    const [, method = '', address = ''] = start.exec(line) ?? []
    if (method && isAddress.test(address)) {
      requests.push(message(lines, index, method, address))
    } else if (command.test(line)) {
      const { text, lines: taken } = commandAt(lines, index)
      const request = curl(text.slice(text.indexOf('curl')), index)
      if (request) requests.push(request)
      index += taken - 1
    } else {
      const request = call(lines, index, line)
      if (request) requests.push(request)
    }
  }
  return requests
}

/** A request line with what follows it: headers, a blank line, a body; or lines that name the parts. */
function message(lines: readonly string[], at: number, method: string, address: string): Described {
  const headers: string[] = []
  const body: string[] = []
  const answer: string[] = []
  let part = headers
  let bodyLine = 0
  let answerLine = 0
  for (let index = at + 1; index < lines.length; index++) {
    const line = lines[index] ?? ''
    if (start.test(line.slice(0, 4096)) || command.test(line.slice(0, 4096))) break
    const named = /^\s*(?:\d{3}\b|HTTP\/[\d.]+\s|(?:response|returns?|answer|reply|→|->|=>|<-)\W)/i
    const sends = /^\s*(?:(?:request\s+)?body|payload|data|json)\s*(?:\([^()]{0,40}\))?\s*[:=]/i
    if (part !== answer && named.test(line)) {
      part = answer
      answerLine = index
      answer.push(line)
    } else if (part === headers && sends.test(line)) {
      part = body
      bodyLine = index
      body.push(line.replace(sends, ''))
    } else if (part === headers && /^\s*[A-Za-z][\w-]*:\s*\S/.test(line) && body.length === 0) {
      if (headers.length < 20) headers.push(line.trim())
    } else if (part === headers) {
      if (line.trim() === '') continue
      part = body
      bodyLine = index
      body.push(line)
    } else part.push(line)
  }
  const host = headers.map((header) => /^host:\s*(\S+)$/i.exec(header)?.[1]).find(Boolean)
  return {
    method,
    address,
    line: at,
    headers,
    ...(host && { host }),
    ...(body.length > 0 && { body: { text: body.join('\n'), line: bodyLine } }),
    ...(answer.length > 0 && { answer: { text: answer.join('\n'), line: answerLine } }),
  }
}

function curl(text: string, at: number): Described | undefined {
  const words = shellWords(text)
  let method: string | undefined
  let address: string | undefined
  let body: Piece | undefined
  const headers: string[] = []
  for (let index = 1; index < words.length; index++) {
    const word = words[index]?.text ?? ''
    const [, option = '', attached = ''] = /^(--[\w-]+)=(.*)$/s.exec(word) ?? []
    const next = (): string => (option ? attached : (words[++index]?.text ?? ''))
    const name = option || word
    if (word === '|' || word === '&&' || word === ';') break
    if (name === '-X' || name === '--request') method = next().toUpperCase()
    else if (/^-X[A-Z]+$/.test(word)) method = word.slice(2)
    else if (name === '-H' || name === '--header') headers.push(next())
    else if (/^(?:-d|-F|--data[\w-]*|--json|--form|--form-string)$/.test(name)) {
      const line = at + (words[option ? index : index + 1]?.line ?? 0)
      const more = next()
      body = body ? { ...body, text: `${body.text}&${more}` } : { text: more, line }
    } else if (name === '--url') address ??= next()
    else if (/^-[ouAbem]$/.test(word)) index += 1
    else if (!word.startsWith('-') && isTarget(word)) address ??= word
  }
  if (address === undefined) return undefined
  return {
    method: method ?? (body ? 'POST' : 'GET'),
    address,
    line: at,
    headers,
    ...(body && { body }),
  }
}

function isTarget(word: string): boolean {
  return /^(?:https?:\/\/|\$\{?[A-Z]|(?:[a-z0-9-]+\.)+[a-z]{2,}\/)/.test(word)
}

/** `requests.post("https://…", json={…})`, `fetch("https://…", { method: "POST", … })`. */
function call(lines: readonly string[], at: number, line: string): Described | undefined {
  const [, verb, target] = called.exec(line) ?? []
  const [, fetchTarget] = fetched.exec(line) ?? []
  const address = target ?? fetchTarget
  if (address === undefined) return undefined
  const rest = lines.slice(at, at + 20)
  const method = verb ?? /\bmethod:\s*["'`](\w+)/.exec(rest.join('\n').slice(0, 2048))?.[1]
  const from = rest.findIndex((one) => /\b(?:json|data|body)\b\s*[=:]/.test(one.slice(0, 4096)))
  const headers = rest.flatMap((one) => {
    const pair = /["']((?:Authorization|X-[\w-]+))["']\s*:\s*f?["'`]([^"'`]{1,200})/i.exec(one)
    return pair ? [`${pair[1]}: ${pair[2]}`] : []
  })
  const body = rest
    .slice(from)
    .join('\n')
    .replace(/^[\s\S]{0,4096}?\b(?:json|data|body)\b\s*[=:]/, '')
  return {
    method: (method ?? 'GET').toUpperCase(),
    address,
    line: at,
    headers,
    ...(from >= 0 && { body: { text: body.slice(0, 4096), line: at + from } }),
  }
}
