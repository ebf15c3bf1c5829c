import { fromBase64Url, toBase64Url } from '../encoding.ts'
import { AuthError } from '../errors.ts'
import type { RecordPage, RecordQuery, RecordRef, Store, StoreRecord } from './store.ts'
import { checkQuery, checkRef, checkWrite, isRecordName } from './store-check.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })
const shown = '[master key]'

interface Material {
  readonly key: Promise<CryptoKey>
  readonly id: Promise<string>
}

const materials = new WeakMap<MasterKey, Material>()

/**
 * The 256-bit key under which a store is sealed. It prints as `[master key]` wherever it is shown, and
 * nothing gives its bytes back: they are handed to WebCrypto as a key that cannot be exported.
 *
 * @example
 * ```ts
 * const key = new MasterKey(crypto.getRandomValues(new Uint8Array(32)))
 * ```
 */
export class MasterKey {
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

/**
 * One AES-256-GCM key a record, derived from the master key by HKDF. Derived rather than random and
 * wrapped: there is no second secret to store, lose or swap, and random 96-bit nonces need to be unique
 * only among the writes of a single record.
 */
async function recordKey(material: Material, ref: RecordRef): Promise<CryptoKey> {
  const info = hkdf(JSON.stringify(['authmd record', ref.kind, ref.owner, ref.id]))
  const form = { name: 'AES-GCM', length: 256 }
  return crypto.subtle.deriveKey(info, await material.key, form, false, ['encrypt', 'decrypt'])
}

function binding(ref: RecordRef, revision: number): Uint8Array<ArrayBuffer> {
  return encoder.encode(JSON.stringify(['authmd v1', ref.kind, ref.owner, ref.id, revision]))
}

function damaged(ref: RecordRef, why: string, cause?: unknown): AuthError {
  const details = { kind: ref.kind, id: ref.id }
  return new AuthError('store_damaged', `a stored ${ref.kind} ${why}`, { cause, details })
}

/** Seals a text for one place and revision: `v1.<key id>.<nonce>.<ciphertext>`. */
export async function seal(
  key: MasterKey,
  ref: RecordRef,
  revision: number,
  text: string,
): Promise<string> {
  const material = materialOf(key)
  const nonce = crypto.getRandomValues(new Uint8Array(12))
  const sealedBytes = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv: nonce, additionalData: binding(ref, revision) },
    await recordKey(material, ref),
    encoder.encode(text),
  )
  return `v1.${await material.id}.${toBase64Url(nonce)}.${toBase64Url(new Uint8Array(sealedBytes))}`
}

/** Opens what `seal` made. Throws `AuthError` `store_wrong_key` or `store_damaged`. */
export async function unseal(
  key: MasterKey,
  ref: RecordRef,
  revision: number,
  text: string,
): Promise<string> {
  const material = materialOf(key)
  const version = /^v([1-9][0-9]{0,5})\./.exec(text)?.[1]
  if (version === undefined) throw damaged(ref, 'is not a sealed value')
  if (version !== '1') {
    throw damaged(ref, `was sealed by a newer version (format ${version}; this one reads 1)`)
  }
  const [, keyId = '', nonce = '', ciphertext, more] = text.split('.')
  if (ciphertext === undefined || more !== undefined) throw damaged(ref, 'is cut or garbled')
  if (!/^[A-Za-z0-9_-]{11}$/.test(keyId)) throw damaged(ref, 'has a garbled key id')
  if (keyId !== (await material.id)) {
    throw new AuthError('store_wrong_key', `a stored ${ref.kind} is sealed under another key`, {
      details: { kind: ref.kind, id: ref.id, sealedUnder: keyId, given: await material.id },
    })
  }
  try {
    const opened = await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv: fromBase64Url(nonce), additionalData: binding(ref, revision) },
      await recordKey(material, ref),
      fromBase64Url(ciphertext),
    )
    return decoder.decode(opened)
  } catch (cause) {
    throw damaged(ref, 'was changed, or belongs to another place or revision', cause)
  }
}

/**
 * Encrypts every value on its way into `store` and decrypts it on its way out. A value opens only under
 * the key, kind, owner, id and revision that it was sealed for. `due`, names and leases stay readable.
 *
 * Reading throws `AuthError` `store_wrong_key` when the value is under another key, `store_damaged` when
 * it was changed, moved, or written by a newer version. `put` over a record and `delete` read it first,
 * so that nothing unreadable is overwritten; `list` names such records in `damaged`.
 *
 * @example
 * ```ts
 * const store = sealed(redisStore({ client }), MasterKey.parse(text))
 * ```
 */
export function sealed(store: Store, key: MasterKey | Promise<MasterKey>): Store {
  const given = Promise.resolve(key)
  // A failing promise is reported by the first call, not as an unhandled rejection before it.
  given.catch(() => undefined)

  async function open(ref: RecordRef, record: StoreRecord): Promise<StoreRecord> {
    const value = await unseal(await given, ref, record.revision, record.value)
    const opened = { ...ref, revision: record.revision, value }
    return record.due === undefined ? opened : { ...opened, due: record.due }
  }

  async function get(asked: RecordRef): Promise<StoreRecord | undefined> {
    const ref = checkRef(asked)
    materialOf(await given)
    const record = await store.get(ref)
    return record === undefined ? undefined : open(ref, record)
  }

  return {
    get,

    async put(record, expected): Promise<number> {
      const ref = checkRef(record)
      checkWrite(record, expected)
      if (expected > 0) await get(ref)
      const value = await seal(await given, ref, expected + 1, record.value)
      const revision = await store.put({ ...ref, value, due: record.due }, expected)
      if (revision !== expected + 1) {
        throw new AuthError('store_failed', 'the store counts revisions in another way')
      }
      return revision
    },

    async delete(asked, expected): Promise<void> {
      const ref = checkRef(asked)
      if ((await get(ref)) !== undefined) await store.delete(ref, expected)
    },

    async list(query: RecordQuery): Promise<RecordPage> {
      checkQuery(query)
      materialOf(await given)
      const page = await store.list(query)
      const records: StoreRecord[] = []
      const unreadable: RecordRef[] = [...page.damaged]
      for (const record of page.records) {
        const { kind, owner, id } = record
        const asked = kind === query.kind && (query.owner ?? owner) === owner
        if (!asked || !isRecordName(owner) || !isRecordName(id)) {
          unreadable.push({ kind, owner, id })
          continue
        }
        try {
          records.push(await open({ kind, owner, id }, record))
        } catch (error) {
          if (!AuthError.isInstance(error) || error.code === 'key_invalid') throw error
          unreadable.push({ kind, owner, id })
        }
      }
      const opened = { records, damaged: unreadable }
      return page.next === undefined ? opened : { ...opened, next: page.next }
    },

    lease: (name, ms) => store.lease(name, ms),
  }
}
