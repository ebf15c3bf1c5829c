import type { Json } from '../methods/method.ts'
import type { FactName, ServiceProfile } from './profile.ts'

/** Addresses by what they are for. */
type Named = ReadonlyMap<string, ReadonlySet<string>>

const addresses: readonly FactName[] = [
  'resource',
  'authorization_server',
  'register_uri',
  'claim_uri',
  'revocation_uri',
  'use_base_url',
  'mcp_url',
  'request',
]
const maxSentences = 10
const maxAddress = 200

/** What a service names differently now than in an earlier profile, one sentence each. */
export function changedSince(before: ServiceProfile, now: ServiceProfile): readonly string[] {
  return differences(namedBy(before), namedBy(now))
}

/** What the plan of an offer holds differently now than when a registration began with it. */
export function planChanges(before: Json, now: Json): readonly string[] {
  return differences(grouped(leaves(before, '')), grouped(leaves(now, '')))
}

function namedBy({ facts, serverMetadata }: ServiceProfile): Named {
  const stated = facts
    .filter(({ name, denied }) => addresses.includes(name) && !denied)
    .map(({ name, value, mode, request }): [string, string] => {
      return [mode ? `${name} (${mode})` : name, request ? `${request.method} ${value}` : value]
    })
  const metadata = serverMetadata.flatMap(({ raw }) => leaves(raw as Json, ''))
  return grouped([...stated, ...metadata.filter(([name]) => /(_endpoint|_uri|_url)$/.test(name))])
}

/** Every text, number and truth value of a JSON value, by the names that lead to it. */
function leaves(value: Json | undefined, path: string): [string, string][] {
  if (Array.isArray(value)) return value.flatMap((item: Json) => leaves(item, path))
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, item]) => {
      return leaves(item, path === '' ? key : `${path}.${key}`)
    })
  }
  return value === undefined ? [] : [[path, String(value)]]
}

function grouped(pairs: readonly (readonly [string, string])[]): Named {
  const named = new Map<string, Set<string>>()
  for (const [name, value] of pairs) named.set(name, (named.get(name) ?? new Set()).add(value))
  return named
}

function differences(before: Named, now: Named): readonly string[] {
  const sentences: string[] = []
  for (const name of new Set([...before.keys(), ...now.keys()])) {
    const [gone] = minus(before.get(name), now.get(name))
    const [come] = minus(now.get(name), before.get(name))
    if (gone !== undefined && come !== undefined) {
      sentences.push(`${name} changed from ${cut(gone)} to ${cut(come)}`)
    } else if (gone !== undefined) sentences.push(`${name} ${cut(gone)} is not named any more`)
    else if (come !== undefined) sentences.push(`${name} ${cut(come)} is new`)
  }
  return sentences.slice(0, maxSentences)
}

function minus(one: ReadonlySet<string> = new Set(), other: ReadonlySet<string> = new Set()) {
  return [...one].filter((value) => !other.has(value))
}

function cut(address: string): string {
  return address.length > maxAddress ? `${address.slice(0, maxAddress)}…` : address
}
