import { z } from 'zod'
import type { Json } from '../method.ts'
import type { Described, Field, Values } from './state.ts'

const valuesSchema = z.record(z.string(), z.union([z.string().max(200), z.number(), z.boolean()]))

/** The fields that the model may fill in. */
function forModel({ fields }: Described): readonly Field[] {
  return fields.filter(({ from }) => from === 'model' || from === 'document')
}

/** Whether there is anything that the model may say. */
export function takesModel(request: Described): boolean {
  return forModel(request).length > 0
}

/** Whether something is missing that only the model can say. */
export function asksModel({ fields }: Described): boolean {
  return fields.some(({ from, required }) => from === 'model' && required)
}

/** What the document asks for, in its words; and the form of the answer, in ours. */
export function question(request: Described): { readonly problem: string; readonly form: string } {
  const lines = forModel(request).map(({ name, note = '', line, from, value }) => {
    const has = from === 'document' ? ` (the document has ${JSON.stringify(value)})` : ''
    return `line ${line}: ${name}${has}${note === '' ? '' : ` – ${note}`}`
  })
  const names = (wanted: boolean) =>
    forModel(request)
      .filter(({ from, required }) => (from === 'model' && required) === wanted)
      .map(({ name, type }) => `${name} (${type})`)
      .join(', ')
  const more = names(false)
  return {
    problem: [`POST ${request.url}`, ...lines].join('\n'),
    form:
      `one line, a JSON object with ${names(true)}${more === '' ? '' : `, and if wanted ${more}`}. ` +
      'A name with dots stays one name. Nothing personal that the task does not need.',
  }
}

/** The model's answer as values; a text where it is none. */
export function readValues(request: Described, answer: string): Values | string {
  let json: unknown
  try {
    json = JSON.parse(answer)
  } catch {
    return 'That was no JSON object.'
  }
  const parsed = valuesSchema.safeParse(json)
  if (!parsed.success)
    return 'Each value must be a text of up to 200 characters, a number or a boolean.'
  const fields = forModel(request)
  for (const [name, value] of Object.entries(parsed.data)) {
    const field = fields.find((one) => one.name === name)
    if (field === undefined) return `The document has no field ${name.slice(0, 60)} to fill in.`
    if (typeof value !== field.type) return `${name} must be a ${field.type}.`
    if (value === '') return `${name} must not be empty.`
  }
  const missing = fields.find(
    ({ name, from, required }) => from === 'model' && required && !(name in parsed.data),
  )
  return missing === undefined ? parsed.data : `${missing.name} is missing.`
}

/** The body: what the document has, what the model said, the address and the word on the terms. */
export function bodyOf(
  request: Described,
  values: Values,
  email: string | undefined,
): { readonly json: Json } | { readonly form: Readonly<Record<string, string>> } {
  const filled = request.fields.flatMap(({ name, from, required, value }) => {
    if (from === 'email') return required && email !== undefined ? [[name, email] as const] : []
    if (from === 'terms') return required ? [[name, true] as const] : []
    const said = values[name] ?? value
    return said === undefined ? [] : [[name, said] as const]
  })
  if (request.body === 'form') {
    return { form: Object.fromEntries(filled.map(([name, value]) => [name, String(value)])) }
  }
  return { json: nested(filled) }
}

function nested(filled: readonly (readonly [string, string | number | boolean])[]): Json {
  const whole: Record<string, unknown> = {}
  for (const [name, value] of filled) {
    const path = name.split('.')
    const last = path.pop() ?? name
    let at = whole
    for (const part of path) {
      if (!Object.hasOwn(at, part)) at[part] = {}
      at = at[part] as Record<string, unknown>
    }
    at[last] = value
  }
  return whole as Json
}

/** What stands in an answer under a name with dots, if it is a credential by its form. */
export function credentialIn(json: unknown, name: string): string | undefined {
  let at = json
  for (const part of name.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined
    at = (at as Record<string, unknown>)[part]
  }
  return typeof at === 'string' && /^[\x21-\x7e]{8,8192}$/.test(at) ? at : undefined
}
