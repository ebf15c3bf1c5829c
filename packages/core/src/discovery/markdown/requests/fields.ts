import type { DescribedField } from '../../profile.ts'
import { lineBreaks } from './shell.ts'

/** What a body or an answer holds. */
export interface Contents {
  readonly form: 'json' | 'form'
  readonly fields: readonly DescribedField[]
}

const maxFields = 60
const maxText = 32_768
const maxExample = 200
const maxDepth = 6

/** The fields of a body, JSON (as people write it: comments, `…`, bare placeholders) or a form. */
export function contentsOf(text: string, line: number): Contents | undefined {
  const cut = text.slice(0, maxText)
  const open = cut.search(/[{[]/)
  if (open >= 0 && open < 400 && !/^\s*[\w.-]{1,80}=/.test(cut)) {
    const fields = jsonFields(cut.slice(open), line + lineBreaks(cut.slice(0, open)))
    if (fields.length > 0) return { form: 'json', fields }
  }
  const fields = formFields(cut, line)
  return fields.length > 0 ? { form: 'form', fields } : undefined
}

const part =
  /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\/\/[^\n]*|#[^\n]*|[{}[\],:\n]|[^\s{}[\],:"'#]+/g

/** Reads token by token, so that what is no JSON any more still gives the fields before it. */
function jsonFields(text: string, firstLine: number): DescribedField[] {
  const fields: DescribedField[] = []
  /** Names of the open objects; the empty name for what lies in an array. */
  const path: (string | undefined)[] = []
  let line = firstLine
  let key: string | undefined
  let last = ''
  let bare = ''
  const put = (type: DescribedField['type'], example?: string): void => {
    if (key === undefined || fields.length >= maxFields) return
    const inArray = path.includes(undefined)
    const name = [...path.slice(1), key].join('.')
    if (!inArray && path.length <= maxDepth) fields.push(fieldOf(name, type, example, line))
    key = undefined
  }
  const flush = (): void => {
    if (bare !== '') put(typeOf(bare), bare)
    bare = ''
  }
  for (const [token] of text.matchAll(part)) {
    if (token === '\n') {
      flush()
      line += 1
    } else if (token.startsWith('//') || token.startsWith('#')) {
      flush()
      comment(fields, line, token.replace(/^[/#\s]+/, ''))
    } else if (token === ':') {
      if (key === undefined) key = last
    } else if (token === '{') {
      if (path.length > 0 && key === undefined) path.push(undefined)
      else path.push(key ?? '')
      key = undefined
    } else if (token === '[') {
      put('array')
      path.push(undefined)
    } else if (token === '}' || token === ']') {
      flush()
      path.pop()
      key = undefined
      if (path.length === 0) break
    } else if (token === ',') flush()
    else if (/^["']/.test(token)) {
      last = token.slice(1, -1)
      if (key !== undefined && bare === '') put('string', last)
    } else {
      last = token
      if (key !== undefined) bare = bare === '' ? token : `${bare} ${token}`
    }
  }
  return fields
}

function comment(fields: DescribedField[], line: number, text: string): void {
  const last = fields.at(-1)
  if (last?.line === line && text !== '') fields[fields.length - 1] = noted(last, text)
}

function formFields(text: string, firstLine: number): DescribedField[] {
  const fields: DescribedField[] = []
  for (const [index, line] of text.split('\n').entries()) {
    for (const pair of line.split('&')) {
      const [, name, value = ''] = /^\s*([A-Za-z_][\w.-]{0,80})=([^\s].*)?$/.exec(pair) ?? []
      if (name === undefined || fields.length >= maxFields) continue
      fields.push(fieldOf(name, 'string', value.trim(), firstLine + index))
    }
  }
  return fields
}

function typeOf(text: string): DescribedField['type'] {
  if (/^-?\d[\d._]*$/.test(text)) return 'number'
  if (/^(?:true|false|True|False)$/.test(text)) return 'boolean'
  return /^(?:null|None)$/.test(text) ? 'null' : undefined
}

/** A field by its name and its example. */
export function fieldOf(
  name: string,
  type: DescribedField['type'],
  example: string | undefined,
  line: number,
): DescribedField {
  return {
    name,
    ...(type && { type }),
    ...(example !== undefined && example !== '' && { example: example.slice(0, maxExample) }),
    ...(example !== undefined && isPlaceholder(example) && { placeholder: true as const }),
    ...(isSecretName(name) && { secret: true as const }),
    line,
  }
}

/** A field with what the text says of it. */
export function noted(field: DescribedField, text: string): DescribedField {
  const words = text.replace(/\s+/g, ' ').trim()
  const required = requirement(words) ?? field.required
  return {
    ...field,
    ...(required !== undefined && { required }),
    ...(words !== '' && { note: (field.note ?? words).slice(0, maxExample) }),
  }
}

/** Whether words call something required or optional; undefined where they do neither. */
export function requirement(words: string): boolean | undefined {
  if (
    /\b(?:optional(?:ly)?|not required|may be (?:omitted|left out)|opcional|optionnel|facultati\w+)\b/i.test(
      words,
    )
  ) {
    return false
  }
  return /\b(?:required|mandatory|obligatorio|obligatório|requis|erforderlich|Pflicht)\b/i.test(
    words,
  )
    ? true
    : undefined
}

function isPlaceholder(text: string): boolean {
  return (
    text === '' ||
    /^[.…*x]+$/i.test(text) ||
    /[<{]\w[^<>{}]*[>}]|\.\.\.|…|\$\{?[A-Za-z_]|@(?:[\w-]+\.)*example\.|\bexample\.(?:com|org|net)\b/i.test(
      text,
    ) ||
    /^(?:your|my)[-_ ]|\byour[-_ ]|_HERE$|^(?:[A-Z]+_)+[A-Z]+$|^(?:string|email|name|uuid|url)$/i.test(
      text,
    )
  )
}

/** Names of what must not pass through a model. */
function isSecretName(name: string): boolean {
  const last = name.split('.').at(-1) ?? ''
  return (
    /(?:^|_|-)(?:pass(?:word|wd|phrase|code)?|secret|token|otp|pin|jwt|assertion|private[_-]?key|api[_-]?key|access[_-]?key|user[_-]?code|verification[_-]?code|device[_-]?code|code)$/i.test(
      last,
    ) || /(?:Password|Secret|Token|PrivateKey|ApiKey|AccessKey|Otp|apiKey|privateKey)$/.test(last)
  )
}
