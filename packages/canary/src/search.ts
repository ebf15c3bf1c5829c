import { encodings } from './encodings.ts'

/** Characters by which the beginning of a form is looked up. */
const gram = 8
/** However long all forms are, no more than so many characters are passed over at once. */
const maxStep = 16

interface Needle {
  readonly form: string
  readonly secret: string
  readonly at: number
}

/**
 * Searches for many secrets in all their forms at once: a look at every so many characters of the text
 * meets one of the first characters of any form, however many forms there are.
 */
export class Search {
  readonly #step: number
  readonly #needles = new Map<string, Needle[]>()

  constructor(secrets: Iterable<string>) {
    const forms = [...secrets].flatMap((secret) => {
      return encodings(secret).map((form) => ({ form, secret }))
    })
    const shortest = forms.reduce((least, { form }) => Math.min(least, form.length), Infinity)
    this.#step = Math.min(maxStep, shortest - gram + 1)
    for (const one of forms) {
      for (let at = 0; at < this.#step; at++) {
        const key = one.form.slice(at, at + gram)
        const known = this.#needles.get(key)
        if (known) known.push({ ...one, at })
        else this.#needles.set(key, [{ ...one, at }])
      }
    }
  }

  /** The secrets that a text holds. */
  find(text: string): ReadonlySet<string> {
    const found = new Set<string>()
    if (this.#needles.size === 0) return found
    for (let at = 0; at + gram <= text.length; at += this.#step) {
      const needles = this.#needles.get(text.slice(at, at + gram))
      for (const { form, secret, at: inner } of needles ?? []) {
        if (at >= inner && text.startsWith(form, at - inner)) found.add(secret)
      }
    }
    return found
  }
}
