const values = new WeakMap<Secret, string>()
const shown = '[secret]'

/**
 * A secret value that prints as `[secret]` wherever it is shown: string, JSON, `util.inspect`,
 * `structuredClone` (which yields an empty object). Only `open` gives the value, and a test
 * (`scripts/house-rules.test.ts`) lists the files that may call it.
 */
export class Secret {
  constructor(value: string) {
    values.set(this, value)
  }

  /** The value itself. Allowed in the files that the openers' test lists, nowhere else. */
  static open(secret: Secret): string {
    const value = values.get(secret)
    if (value === undefined) throw new TypeError('not a Secret of this process')
    return value
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
    // Node's console and `util.inspect` look this symbol up; elsewhere it is harmless.
    Object.defineProperty(Secret.prototype, Symbol.for('nodejs.util.inspect.custom'), {
      value: () => shown,
    })
  }
}
