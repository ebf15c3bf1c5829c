import { fromBase64Url, toBase64Url } from '../encoding.ts'
import { AuthError } from '../errors.ts'
import type { KeyContext, WrappingKey } from './master-key.ts'
import type { RecordRef } from './store.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })
const version = '2'

/** The keys of a store by their ids: all open, the current one seals. */
export interface Keys {
  readonly current: WrappingKey
  readonly byId: ReadonlyMap<string, WrappingKey>
}

/** A sealed text taken apart, nothing of it proven yet. */
interface Parts {
  readonly keyId: string
  readonly generation: number
  readonly wrapped: string
  readonly nonce: string
  readonly ciphertext: string
}

/** What a sealed text held. */
export interface Opened {
  readonly value: string
  /** The record's revision as its users count it: resealing does not move it. */
  readonly generation: number
}

function fault(
  ref: RecordRef,
  why: string,
  more: { code?: 'store_damaged' | 'store_version'; cause?: unknown } = {},
): AuthError {
  const details = { kind: ref.kind, id: ref.id }
  const { code = 'store_damaged', cause } = more
  return new AuthError(code, `a stored ${ref.kind} ${why}`, { cause, details })
}

function takeApart(ref: RecordRef, text: string): Parts {
  const format = /^v([1-9][0-9]{0,5})\./.exec(text)?.[1]
  if (format === undefined) throw fault(ref, 'is not a sealed value')
  if (format !== version) {
    const other = Number(format) > Number(version) ? 'a newer' : 'an older'
    const formats = `format ${format}; this one reads ${version}`
    throw fault(ref, `was sealed by ${other} version (${formats})`, { code: 'store_version' })
  }
  const [, keyId = '', generation = '', wrapped = '', nonce = '', ciphertext, more] =
    text.split('.')
  if (ciphertext === undefined || more !== undefined) throw fault(ref, 'is cut or garbled')
  if (!/^[A-Za-z0-9_-]{1,400}$/.test(keyId)) throw fault(ref, 'has a garbled key id')
  if (!/^[1-9][0-9]{0,15}$/.test(generation)) throw fault(ref, 'has a garbled generation')
  return { keyId, generation: Number(generation), wrapped, nonce, ciphertext }
}

function contextOf({ kind, owner, id }: RecordRef, revision: number): KeyContext {
  return { kind, owner, id, revision: String(revision) }
}

function binding(ref: RecordRef, revision: number, generation: number): Uint8Array<ArrayBuffer> {
  const { kind, owner, id } = ref
  const parts = [`authmd v${version}`, kind, owner, id, revision, generation]
  return encoder.encode(JSON.stringify(parts))
}

function imported(dataKey: Uint8Array, use: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', Uint8Array.from(dataKey), 'AES-GCM', false, [use])
}

/**
 * Seals a text for one place and revision under a new data key:
 * `v2.<key id>.<generation>.<wrapped data key>.<nonce>.<ciphertext>`.
 */
export async function seal(
  key: WrappingKey,
  ref: RecordRef,
  revision: number,
  text: string,
  generation: number = revision,
): Promise<string> {
  const dataKey = crypto.getRandomValues(new Uint8Array(32))
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const form = { name: 'AES-GCM', iv, additionalData: binding(ref, revision, generation) }
  try {
    const ciphertext = await crypto.subtle.encrypt(
      form,
      await imported(dataKey, 'encrypt'),
      encoder.encode(text),
    )
    const wrapped = await key.wrap(dataKey, contextOf(ref, revision))
    const fields = [wrapped, iv, new Uint8Array(ciphertext)].map((bytes) => toBase64Url(bytes))
    return [`v${version}`, await key.keyId(), generation, ...fields].join('.')
  } finally {
    dataKey.fill(0)
  }
}

/** The id of the key that a text says it is sealed under. Throws as `unseal` does. */
export function keyIdOf(ref: RecordRef, text: string): string {
  return takeApart(ref, text).keyId
}

/**
 * Opens what `seal` made. Throws `AuthError` `store_wrong_key`, `store_version` or `store_damaged`, and what
 * the key throws.
 */
export async function unseal(
  { byId }: Pick<Keys, 'byId'>,
  ref: RecordRef,
  revision: number,
  text: string,
): Promise<Opened> {
  const { keyId, generation, wrapped, nonce, ciphertext } = takeApart(ref, text)
  const key = byId.get(keyId)
  if (key === undefined) {
    throw new AuthError('store_wrong_key', `a stored ${ref.kind} is sealed under another key`, {
      details: { kind: ref.kind, id: ref.id, sealedUnder: keyId, given: [...byId.keys()].join() },
    })
  }
  const changed = (cause?: unknown) =>
    fault(ref, 'was changed, or belongs to another place or revision', { cause })
  const fields = decoded([wrapped, nonce, ciphertext])
  if (fields === undefined) throw changed()
  const dataKey = await key.unwrap(fields[0], contextOf(ref, revision))
  if (dataKey === undefined) throw changed()
  const form = {
    name: 'AES-GCM',
    iv: fields[1],
    additionalData: binding(ref, revision, generation),
  }
  try {
    const opened = await crypto.subtle.decrypt(form, await imported(dataKey, 'decrypt'), fields[2])
    return { value: decoder.decode(opened), generation }
  } catch (cause) {
    throw changed(cause)
  }
}

type Bytes = Uint8Array<ArrayBuffer>

function decoded(texts: readonly [string, string, string]): [Bytes, Bytes, Bytes] | undefined {
  try {
    return [fromBase64Url(texts[0]), fromBase64Url(texts[1]), fromBase64Url(texts[2])]
  } catch {
    return undefined
  }
}
