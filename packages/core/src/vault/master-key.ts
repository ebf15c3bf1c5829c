import { fromBase64Url, toBase64Url } from '../encoding.ts'
import { AuthError } from '../errors.ts'

const encoder = new TextEncoder()
const shown = '[master key]'

/** The place that a data key is for, as text: what a KMS calls the encryption context. No secret. */
export interface KeyContext {
  readonly kind: string
  /** An opaque key of the owner. */
  readonly owner: string
  readonly id: string
  /** The store's revision of the row. */
  readonly revision: string
}

/**
 * What wraps the data keys of a store: a `MasterKey` in this process, or a KMS (`keyFromKms`). What was
 * wrapped for one context must not open for another.
 */
export interface WrappingKey {
  /** Names the key in what it wrapped; matches `[A-Za-z0-9_-]{1,400}` and tells keys apart. */
  keyId(): Promise<string>
  wrap(dataKey: Uint8Array<ArrayBuffer>, context: KeyContext): Promise<Uint8Array>
  /** Undefined when it is none that this key wrapped for this context. */
  unwrap(wrapped: Uint8Array<ArrayBuffer>, context: KeyContext): Promise<Uint8Array | undefined>
}

interface Material {
  readonly key: Promise<CryptoKey>
  readonly id: Promise<string>
}

const materials = new WeakMap<MasterKey, Material>()

/**
 * A 256-bit key that wraps the data keys of a store. It prints as `[master key]` wherever it is shown, and
 * nothing gives its bytes back: they are handed to WebCrypto as a key that cannot be exported.
 *
 * @example
 * ```ts
 * const key = new MasterKey(crypto.getRandomValues(new Uint8Array(32)))
 * ```
 */
export class MasterKey implements WrappingKey {
  /** Takes exactly 32 bytes and copies them. Throws `AuthError` `key_invalid`. */
  constructor(bytes: Uint8Array) {
    if (!(bytes instanceof Uint8Array) || bytes.length !== 32) {
      throw new AuthError('key_invalid', 'a master key has exactly 32 bytes')
    }
    const copy = Uint8Array.from(bytes)
    const key = crypto.subtle.importKey('raw', copy, 'HKDF', false, ['deriveKey', 'deriveBits'])
    const id = key.then(async (imported) => {
      copy.fill(0)
      const bits = await crypto.subtle.deriveBits(hkdf('authmd key id'), imported, 64)
      return toBase64Url(new Uint8Array(bits))
    })
    materials.set(this, { key, id })
  }

  /** Reads 64 hex digits or base64 / base64url of 32 bytes. Throws `AuthError` `key_invalid`. */
  static parse(text: string): MasterKey {
    const trimmed = text.trim()
    if (/^[0-9a-f]{64}$/i.test(trimmed)) {
      return new MasterKey(Uint8Array.from(trimmed.match(/../g)!, (pair) => parseInt(pair, 16)))
    }
    if (/^[A-Za-z0-9_+/-]{43}=?$/.test(trimmed)) return new MasterKey(fromBase64Url(trimmed))
    throw new AuthError('key_invalid', 'a master key is 64 hex digits or base64 of 32 bytes')
  }

  keyId(): Promise<string> {
    return materialOf(this).id
  }

  async wrap(dataKey: Uint8Array<ArrayBuffer>, context: KeyContext): Promise<Uint8Array> {
    const iv = crypto.getRandomValues(new Uint8Array(12))
    const form = { name: 'AES-GCM', iv, additionalData: binding(context) }
    const wrapped = await crypto.subtle.encrypt(form, await wrappingKey(this, context), dataKey)
    const both = new Uint8Array(iv.length + wrapped.byteLength)
    both.set(iv)
    both.set(new Uint8Array(wrapped), iv.length)
    return both
  }

  async unwrap(
    wrapped: Uint8Array<ArrayBuffer>,
    context: KeyContext,
  ): Promise<Uint8Array | undefined> {
    const key = await wrappingKey(this, context)
    const form = { name: 'AES-GCM', iv: wrapped.slice(0, 12), additionalData: binding(context) }
    try {
      return new Uint8Array(await crypto.subtle.decrypt(form, key, wrapped.slice(12)))
    } catch {
      return undefined
    }
  }

  toString(): string {
    return shown
  }

  toJSON(): string {
    return shown
  }

  [Symbol.toPrimitive](): string {
    return shown
  }

  static {
    Object.defineProperty(MasterKey.prototype, Symbol.for('nodejs.util.inspect.custom'), {
      value: () => shown,
    })
  }
}

function hkdf(info: string): HkdfParams {
  // The master key is uniformly random, so RFC 5869 asks for no salt.
  return { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: encoder.encode(info) }
}

function materialOf(key: MasterKey): Material {
  const material = materials.get(key)
  if (material === undefined) throw new AuthError('key_invalid', 'not a master key')
  return material
}

/** One a record, so that random 96-bit nonces need to be unique only among its own writes. */
async function wrappingKey(key: MasterKey, context: KeyContext): Promise<CryptoKey> {
  const { kind, owner, id } = context
  const info = hkdf(JSON.stringify(['authmd data key', kind, owner, id]))
  const form = { name: 'AES-GCM', length: 256 }
  const master = await materialOf(key).key
  return crypto.subtle.deriveKey(info, master, form, false, ['encrypt', 'decrypt'])
}

function binding({ kind, owner, id, revision }: KeyContext): Uint8Array<ArrayBuffer> {
  return encoder.encode(JSON.stringify(['authmd data key', kind, owner, id, revision]))
}
