import { z } from 'zod'
import { ownLine, serviceWords } from '../tools/service-text.ts'

const maxChars = 32_000
const maxDepth = 12
const maxNodes = 1_000
/** Characters of a description inside a schema, and of a value that it lists. */
const maxText = 200
const maxValues = 200

const types = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']
const numbers =
  `minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength minItems maxItems
  minProperties maxProperties`.split(/\s+/)
const combined = ['anyOf', 'oneOf', 'allOf']

type Json = Readonly<Record<string, unknown>>

/** The arguments of a tool, and why they cannot be read where they cannot. */
type ReadSchema =
  | { readonly schema: z.ZodType<Readonly<Record<string, unknown>>> }
  | { readonly why: string }

/**
 * A service's JSON Schema for the arguments of a tool, as a model may see it and as we check by it. It
 * is built anew from the keywords that say something about the form of a value: references are written
 * out, texts are cut and marked, and patterns are left out, since one can take for ever to match. What
 * is left out the service checks itself.
 */
export function readSchema(json: unknown): ReadSchema {
  try {
    const root = isObject(json) ? json : {}
    if (root.type !== undefined && root.type !== 'object') fail('does not describe an object')
    const { properties, required, additionalProperties } = new Reader(root).read(root, 0) as Json
    const object = { type: 'object', properties: properties ?? {}, required, additionalProperties }
    const plain = JSON.parse(JSON.stringify(object))
    if (JSON.stringify(plain).length > maxChars) fail('is too large')
    const schema = z.fromJSONSchema(plain) as z.ZodType<Readonly<Record<string, unknown>>>
    // What a framework could not show to its model would break all tools.
    z.toJSONSchema(schema, { io: 'input' })
    return { schema }
  } catch (error) {
    const why = error instanceof Unreadable ? error.message : 'cannot be read'
    return { why: `its schema ${why}` }
  }
}

class Unreadable extends Error {}

function fail(why: string): never {
  throw new Unreadable(why)
}

class Reader {
  readonly #root: Json
  #nodes = 0

  constructor(root: Json) {
    this.#root = root
  }

  read(node: unknown, depth: number): unknown {
    if (typeof node === 'boolean') return node
    if (!isObject(node)) fail('is not a JSON Schema')
    if (depth > maxDepth) fail('is nested too deeply, or refers to itself')
    this.#nodes++
    if (this.#nodes > maxNodes) fail('is too large')
    if (node.$ref !== undefined) {
      const { $ref, ...rest } = node
      return this.read({ ...this.#target($ref), ...rest }, depth + 1)
    }
    const out: Record<string, unknown> = {}
    if (node.type !== undefined) out.type = typesOf(node.type)
    for (const name of numbers) if (Number.isFinite(node[name])) out[name] = node[name]
    if (node.uniqueItems === true) out.uniqueItems = true
    if (typeof node.format === 'string' && /^[a-z-]{1,30}$/.test(node.format)) {
      out.format = node.format
    }
    if (Array.isArray(node.enum)) out.enum = valuesOf(node.enum)
    if (node.const !== undefined) out.const = valuesOf([node.const])[0]
    if (typeof node.description === 'string') {
      out.description = `The service says: ${serviceWords(node.description, maxText)}`
    }
    if (isObject(node.properties)) {
      const entries = Object.entries(node.properties).map(([name, value]) => {
        if (!isName(name)) fail('has a field whose name is not one word')
        return [name, this.read(value, depth + 1)] as const
      })
      out.properties = Object.fromEntries(entries)
    }
    if (Array.isArray(node.required)) {
      const known = isObject(node.properties) ? Object.keys(node.properties) : []
      out.required = known.filter((name) => (node.required as unknown[]).includes(name))
    }
    for (const name of ['items', 'additionalProperties']) {
      const value = node[name]
      if (isObject(value) || typeof value === 'boolean') out[name] = this.read(value, depth + 1)
    }
    for (const name of combined) {
      const value = node[name]
      if (Array.isArray(value)) out[name] = value.map((one) => this.read(one, depth + 1))
    }
    // A default is filled in unchecked: one that does not fit would be refused the next time.
    const fits = isValue(node.default) && z.fromJSONSchema(out).safeParse(node.default).success
    return fits ? { ...out, default: node.default } : out
  }

  #target(ref: unknown): Json {
    if (typeof ref !== 'string' || !/^#(?:\/|$)/.test(ref)) fail('refers to something elsewhere')
    let found: unknown = this.#root
    for (const part of ref.split('/').slice(1)) {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
      found = isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined
    }
    return isObject(found) ? found : fail('refers to what it does not hold')
  }
}

function typesOf(type: unknown): unknown {
  const all = Array.isArray(type) ? type : [type]
  if (!all.every((one) => types.includes(one))) fail('names a type that there is not')
  return type
}

function valuesOf(values: readonly unknown[]): readonly unknown[] {
  if (values.length > maxValues) fail('lists too many values')
  if (!values.every(isValue)) fail('lists values that are hidden, long or no plain values')
  return values
}

function isValue(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= maxText && ownLine(value) === value
  return value === null || typeof value === 'boolean' || Number.isFinite(value)
}

/** A name with spaces could be a sentence. */
function isName(name: string): boolean {
  return name.length <= 64 && /^\S+$/.test(name) && ownLine(name) === name
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
