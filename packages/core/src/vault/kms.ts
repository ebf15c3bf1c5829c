import { toBase64Url } from '../encoding.ts'
import { AuthError } from '../errors.ts'
import type { KeyContext, WrappingKey } from './master-key.ts'

/** How an application lets its KMS wrap data keys. */
export interface KmsOptions {
  /** The KMS's name of the key, at most 256 characters. Stored in the clear with each record. */
  readonly id: string
  /** Encrypts 32 bytes. `context` is what a KMS calls encryption context or additional data. */
  wrap(dataKey: Uint8Array, context: KeyContext): Promise<Uint8Array>
  /**
   * Decrypts what `wrap` gave, for the same context. Undefined where the KMS says that it is not, so that
   * one damaged record is told from a KMS that does not answer; for the latter it throws.
   */
  unwrap(wrapped: Uint8Array, context: KeyContext): Promise<Uint8Array | undefined>
  /** Milliseconds to wait for an answer; 10 000 by default. */
  readonly timeoutMs?: number
}

/**
 * A master key that never leaves its KMS. Each record read costs one `unwrap` and each one written one
 * `wrap`: data keys are not kept beyond the call that needs them.
 *
 * Throws `AuthError` `key_invalid` for options that are none; calls of the store throw `key_unavailable`
 * (the KMS's error as `cause`) when it fails, does not answer in time, or answers with no key.
 *
 * @example
 * ```ts
 * const key = keyFromKms({
 *   id: arn,
 *   wrap: async (dataKey, context) => (await kms.encrypt({ KeyId: arn, Plaintext: dataKey, EncryptionContext: context })).CiphertextBlob,
 *   unwrap: async (wrapped, context) => {
 *     try {
 *       return (await kms.decrypt({ KeyId: arn, CiphertextBlob: wrapped, EncryptionContext: context })).Plaintext
 *     } catch (error) {
 *       if (error.name === 'InvalidCiphertextException') return undefined
 *       throw error
 *     }
 *   },
 * })
 * ```
 */
export function keyFromKms(options: KmsOptions): WrappingKey {
  const { id, wrap, unwrap, timeoutMs = 10_000 } = options
  if (typeof id !== 'string' || id === '' || id.length > 256) {
    throw new AuthError('key_invalid', 'a KMS key needs an id of 1 to 256 characters')
  }
  if (typeof wrap !== 'function' || typeof unwrap !== 'function') {
    throw new AuthError('key_invalid', 'a KMS key needs the functions wrap and unwrap')
  }
  if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 1) {
    throw new AuthError('key_invalid', 'a KMS key needs a timeout of whole milliseconds')
  }
  const keyId = `kms-${toBase64Url(new TextEncoder().encode(id))}`
  if (keyId.length > 400) throw new AuthError('key_invalid', "a KMS key's id is too long")

  function unavailable(what: string, cause?: unknown): AuthError {
    return new AuthError('key_unavailable', `the KMS ${what}`, { cause, details: { key: id } })
  }

  async function answered<T>(call: () => Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<never>((_, reject) => {
      const say = () => reject(unavailable(`did not answer in ${timeoutMs} ms`))
      timer = setTimeout(say, timeoutMs)
    })
    try {
      return await Promise.race([call(), late])
    } catch (cause) {
      throw AuthError.isInstance(cause) ? cause : unavailable('failed', cause)
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    keyId: async () => keyId,

    async wrap(dataKey, context) {
      const wrapped = await answered(async () => wrap(Uint8Array.from(dataKey), context))
      if (wrapped instanceof Uint8Array && wrapped.length > 0) return wrapped
      throw unavailable('answered without a wrapped key')
    },

    async unwrap(wrapped, context) {
      const dataKey = await answered(async () => unwrap(wrapped, context))
      if (dataKey === undefined) return undefined
      if (dataKey instanceof Uint8Array && dataKey.length === 32) return dataKey
      throw unavailable('answered without a data key of 32 bytes')
    },
  }
}
