import fc from 'fast-check'
import { redactionText, redactUnseen } from '../src/use/redactor.ts'
import { Secret } from '../src/vault/secret.ts'
import { check, target } from './target.ts'

const names = ['api_key', 'API-Key', 'accessToken', 'client_secret', 'password', 'x.api.key']
const plain = ['id', 'name', 'next_page_token', 'cursor', 'keys', 'secretary', '']
const value = fc
  .string({ unit: fc.constantFrom(...'aB1-_/+="\\é', '𝒳'), minLength: 1, maxLength: 20 })
  .map((tail) => `Made-Up-1${tail}`)
const text = fc.string({
  unit: fc.constantFrom(...'aB1 -_/:{}[],"\\\n&=%.', 'é', 'KEY0', 'Bearer '),
  maxLength: 30,
})
const known = fc
  .string({ unit: fc.constantFrom(...'ABC0123'), minLength: 20, maxLength: 30 })
  .map((tail) => `KEY0${tail}`)

/** A field of an answer: one that holds a secret, one that holds text, or more fields. */
const field = fc.oneof(
  fc.record({ name: fc.constantFrom(...names), secret: value, bearer: fc.boolean() }),
  fc.record({ name: fc.constantFrom(...plain), text }),
  fc.record({ name: fc.constantFrom(...plain), known }),
)
const fields = fc.array(field, { minLength: 1, maxLength: 5 })

/** As a service may write it: laid out, within a list, within a JSON string. */
const layouts: readonly ((body: Record<string, unknown>[]) => string)[] = [
  (body) => JSON.stringify(body),
  (body) => JSON.stringify({ data: { items: body } }, undefined, 2),
  (body) => JSON.stringify({ log: JSON.stringify(body) }),
  (body) => JSON.stringify({ log: JSON.stringify({ inner: JSON.stringify(body) }) }),
  (body) => `${JSON.stringify(body).replaceAll('/', '\\/')}\n`,
]

/**
 * Secrets that nobody knew are told by their field or their beginning: each is taken out and handed
 * over whole, all else stays as it was, and the same text again holds none any more.
 */
export const unseenTarget = target({
  name: 'unseen',
  runsInTest: 200,
  arbitrary: fc.record({ fields, layout: fc.nat(), cut: fc.nat({ max: 400 }), loose: text }),
  property({ fields: all, layout, cut, loose }) {
    const write = layouts[layout % layouts.length]
    const body = (shown?: string) =>
      all.map((one) => {
        if ('secret' in one) {
          return { [one.name]: shown ?? `${one.bearer ? 'Bearer ' : ''}${one.secret}` }
        }
        return { [one.name]: 'known' in one ? (shown ?? one.known) : one.text }
      })
    const answer = write?.(body()) ?? ''
    const { text: clean, secrets } = redactUnseen(answer)
    const wanted = write?.(body(redactionText)) ?? ''
    check(clean === wanted, 'the answer is another than without its secrets:', answer, clean)
    const taken = secrets.map(({ secret }) => Secret.open(secret)).sort()
    const held = all.flatMap((one) => ('secret' in one ? [one.secret] : []))
    const keys = all.flatMap((one) => ('known' in one ? [one.known] : []))
    check(taken.join('\n') === [...held, ...keys].sort().join('\n'), 'others are kept:', answer)
    const again = redactUnseen(clean)
    check(again.text === clean && again.secrets.length === 0, 'it is not at rest:', answer, clean)

    // Cut off anywhere, no whole secret is left, and what is handed over is none that was cut.
    const part = redactUnseen(answer.slice(0, cut))
    for (const one of held) {
      const left = JSON.stringify(one).slice(1, -1)
      check(!part.text.includes(left), 'it is left where the answer is cut off:', answer, cut)
    }
    const handed = part.secrets.map(({ secret }) => Secret.open(secret))
    const whole = handed.every(
      (one) => held.includes(one) || keys.some((key) => key.startsWith(one)),
    )
    check(whole, 'half a secret is kept:', answer, cut)

    // Whatever the text: it ends, and what is no secret stays.
    const other = redactUnseen(loose)
    if (other.secrets.length === 0) check(other.text === loose, 'altered for nothing:', loose)
  },
})
