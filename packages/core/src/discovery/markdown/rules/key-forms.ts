import { isDenied } from './denial.ts'
import type { Found, Rule } from './rule.ts'

const key = /\b(?:keys?|tokens?)\b/i
/** The beginning of a key, as it is written: `sk_live_`, `tw_…`, `pat-xxxx`. */
const beginning =
  /^([A-Za-z][A-Za-z0-9]{1,15}(?:[_-][A-Za-z0-9]{1,15}){0,3}?[_-]?)(?:\.{3}|…|\*{2,}|[xX]{3,}|<[^>]*>)?$/
const begins =
  /\b(?:begin|start)(?:s|ning|ing)?\s+(?:with|in)\s*$|\bprefix(?:ed)?(?:\s+(?:with|by|is))?:?\s*$/i
const hex =
  /\b(\d{2,3})[- ](?:(?:characters?|digits?)[- ](?:of )?)?(?:lower-?case )?hex(?:adecimal)?\b/i
/** What a document writes in the place of a key: `tw_your_api_key`, `sk_live_xxxx`. */
const sample =
  /(?:Bearer|Token|Basic|key["']?\s*[:=]|(?<!claim_)token["']?\s*[:=]|-u)\s*["']?([a-z][a-z0-9]{1,12}(?:_[a-z0-9]{2,10}){0,2}_)(?:your|x{3,}|\.{3}|…|<|\*{2,}|abc|123)/gi
const nobodys = /^(?:your|my|the|api|access|bearer|auth|secret|user|client|key|token)[_-]/i

/** How a key looks: stated in words or a table of prefixes, or shown by a sample in code. */
const keyForms: Rule = (statement) => {
  const { line, code, cells, columns = [] } = statement
  if (code !== undefined) {
    const samples = [...code.slice(0, 8_192).matchAll(sample)].map(([, form = '']) => form)
    return samples.filter((form) => !nobodys.test(form)).map((value) => example(value, line))
  }
  const found: Found[] = []
  const state = (text: string): void => {
    const form = beginning.exec(text.trim())?.[1]
    if (form === undefined || nobodys.test(form) || /^bearer$/i.test(form)) return
    found.push({ name: 'key_form', value: form, weight: 2, line })
  }
  const at = columns.findIndex((column) => /^(?:key )?prefix(?:es)?$/.test(column))
  if (cells && at >= 0) {
    const about = key.test(`${statement.headings.join(' ')} ${statement.lead ?? ''}`)
    for (const token of about ? (cells[at] ?? []) : []) if (token.kind === 'code') state(token.text)
    return found
  }
  for (const clause of statement.clauses) {
    const text = clause.text.slice(0, 2_048)
    const below = /\bprefix/i.test(text) && key.test(statement.headings.at(-1) ?? '')
    if (!below && !key.test(statement.text)) continue
    const digits = hex.exec(text)
    if (
      digits &&
      key.test(text) &&
      !isDenied(text, digits.index, digits.index + digits[0].length)
    ) {
      found.push({ name: 'key_form', value: `${digits[1]} hex`, weight: 2, line })
    }
    let before = ''
    let listed = false
    for (const token of clause.tokens) {
      const said: boolean =
        begins.test(before) || (listed && /^\s*(?:,|\/|or|and|,\s*or)?\s*$/i.test(before))
      const named = /\bprefix(?:es)?\b/i.test(text) && /[_-]$/.test(token.text)
      if (token.kind === 'code') {
        if (said || named) state(token.text)
        listed = said
        before = ''
      } else before = token.text.slice(-200)
    }
    for (const [, form = ''] of text.matchAll(sample))
      if (!nobodys.test(form)) found.push(example(form, line))
  }
  return found
}

function example(value: string, line: number): Found {
  return { name: 'key_example', value, weight: 1, line }
}

const variable = '[A-Z][A-Z0-9]{1,30}(?:_[A-Z0-9]+){0,4}_(?:KEY|TOKEN|SECRET|PAT)'
const inCode = new RegExp(
  String.raw`\$\{?(${variable})\b|\b(?:export|set)\s+(${variable})=|\bprocess\.env\.(${variable})\b|\benviron\w*[.[(]+["']?(${variable})\b`,
  'g',
)
const spoken = new RegExp(`^\\$?(${variable})(?:=.*)?$`)

/** Names of environment variables in which a document expects a key. */
const keyVariables: Rule = ({ code, tokens, text, line }) => {
  const names = new Set<string>()
  if (code !== undefined) {
    for (const match of code.slice(0, 8_192).matchAll(inCode)) {
      const name = match.slice(1).find((one) => one !== undefined)
      if (name !== undefined) names.add(name)
    }
  } else {
    for (const token of tokens) {
      const name = token.kind === 'code' ? spoken.exec(token.text)?.[1] : undefined
      if (name && /\benv(?:ironment)?\b|\bvariable\b|\bset\b|\bsave\b|\bread\b/i.test(text))
        names.add(name)
    }
  }
  const real = [...names].filter((name) => !/^(?:YOUR|MY|THE|ADMIN|API|ACCESS|REFRESH)_/.test(name))
  return real.map((value) => ({ name: 'key_env', value, weight: 2, line }))
}

const curlUser = /\scurl\b[^\n]*?\s(?:-u|--user)[ =]?["']?([^"'\s:]*):([^"'\s]*)/g
const encoded = /\bBasic\s+<?base64\(\s*["']?([^):"']*):([^)"']*)\)/gi
const keyLike = /key|token|secret|^\$|^<|^\{|_$|x{3,}|\.{3}|…/i

/** HTTP Basic: who is the user and what the password, `<key>:`, `api:<key>`, `<user>:<key>`. */
const basicForms: Rule = (statement) => {
  const { code, text, line } = statement
  const see = (value: string): Found => ({ name: 'basic_auth', value, weight: 2, line })
  if (code !== undefined) {
    const joined = ` ${code.slice(0, 8_192).replace(/\\\n/g, ' ')}`
    return [...joined.matchAll(curlUser), ...joined.matchAll(encoded)].flatMap(
      ([, user = '', password = '']) => pair(user, password).map(see),
    )
  }
  if (!/\bbasic\b/i.test(text)) return []
  const found = [...text.slice(0, 2_048).matchAll(encoded)].flatMap(
    ([, user = '', password = '']) => pair(user, password),
  )
  if (/\b(?:key|token)\b[^.]{0,20}\bas (?:the |your |its )?user ?name\b/i.test(text))
    found.push('<key>:')
  const fixed =
    /\buser ?name\b[^.]{0,20}?["'`]?\b([a-z][a-z0-9_-]{1,20})["'`]? and (?:the |your )?(?:api )?(?:key|token) as (?:the )?password\b/i.exec(
      text,
    )?.[1]
  if (fixed !== undefined) found.push(`${fixed}:<key>`)
  else if (/\b(?:key|token)\b[^.]{0,20}\bas (?:the |your )?password\b/i.test(text))
    found.push('<user>:<key>')
  return found.map(see)
}

function pair(user: string, password: string): string[] {
  const [name, word] = [user.trim(), password.trim()]
  if (word === '' || /^(?:x|empty)$/i.test(word)) return keyLike.test(name) ? ['<key>:'] : []
  if (!keyLike.test(word) && !/password/i.test(word)) return []
  return /^[a-z][a-z0-9-]{0,20}$/.test(name) && !/user|email|account|login|id$/.test(name)
    ? [`${name}:<key>`]
    : ['<user>:<key>']
}

const headerLine =
  /(?:^|["'\s])([A-Za-z][\w-]{1,60}):\s*(?:[A-Za-z]+\s+)?(<[^>\n]{1,60}>|\$\{?\w{1,60}\}?|\{+[^}\n]{1,60}\}+|YOUR[\w-]{1,60}|your[\w-]{1,60}|[\w-]*(?:\.{3}|…|x{4,}))/gm
const isId =
  /(?:^|-)(?:id|email|user|username|account|app|application|client|tenant|org|organi[sz]ation|project|workspace|team)(?:-(?:id|key|name|sid|email))?$|-sid$/i
const isKey = /(?:key|secret|token|password)$|^authorization$/i
const others =
  /^(?:x-)?(?:request|trace|correlation|session|idempotency|conversation|message|content|user-agent)/i

/** Two headers of one request that a person has to fill: the key's, and what goes beside it. */
const keyCompanions: Rule = ({ code, line }) => {
  if (code === undefined) return []
  const requests = code
    .slice(0, 8_192)
    .replace(/\\\n/g, ' ')
    .split(/\n\s*\n|\n(?=\s*(?:curl|GET|POST|PUT|PATCH|DELETE)\b)/)
  return requests.flatMap((request) => {
    const names = new Set([...request.matchAll(headerLine)].map(([, name = '']) => name))
    const mine = [...names].filter((name) => !others.test(name))
    const [first, ...more] = mine.filter((name) => isKey.test(name))
    if (first === undefined) return []
    const ids = mine.filter((name) => isId.test(name) && !isKey.test(name))
    return [...ids, ...more].map((value): Found => ({ name: 'key_beside', value, weight: 2, line }))
  })
}

export const keyRules: readonly Rule[] = [keyForms, keyVariables, basicForms, keyCompanions]
