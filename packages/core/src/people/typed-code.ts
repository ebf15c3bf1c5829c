import { AuthError } from '../errors.ts'
import type { CodeForm } from '../methods/method.ts'

/** What nobody means by it when they type or copy a code: never shown, or put between its groups. */
const invisible = /[\p{Cf}\p{DI}]/gu
const separators = /[\s.\p{Pd}\u00b7\u2022\u2212\u2219]/gu
const longest = 200

/**
 * A code as a person typed, copied or said it, written as its form has it: full-width characters made
 * plain, what stands between its groups dropped, letters in the case of the alphabet. A sentence is taken
 * if one code and no other is in it, in its own case.
 *
 * @throws AuthError `secret_refused`, never quoting it
 */
export function typedCode(typed: string, form: CodeForm): string {
  const text = typed.normalize('NFKC').replace(invisible, '').trim()
  if (text.length > longest) throw refuse(form, 'this is far too long')
  const alphabet = new Set(form.alphabet)
  const whole = [...text.replace(separators, '')]
  const inCase = whole.map((one) => cased(one, alphabet))
  if (inCase.length === form.length && within(inCase, alphabet)) return inCase.join('')
  const [code, ...more] = codesIn(text, alphabet, form.length)
  if (code !== undefined && more.length === 0) return code
  if (code !== undefined) throw refuse(form, 'there is more than one in this')
  if (whole.length === 0) throw refuse(form, 'this is empty')
  if (within(inCase, alphabet)) throw refuse(form, `this has ${whole.length}`)
  throw refuse(form, 'this has something else in it')
}

/** The codes of a sentence: words side by side that are made of the alphabet alone are read together. */
function codesIn(text: string, alphabet: ReadonlySet<string>, length: number): readonly string[] {
  const runs = ['']
  for (const word of text.split(/[^\p{L}\p{N}\p{M}.\p{Pd}\u00b7\u2022\u2212\u2219]+/u)) {
    const letters = [...word.replace(separators, '')]
    if (within(letters, alphabet)) runs.push(`${runs.pop()}${letters.join('')}`)
    else runs.push('')
  }
  return runs.filter((run) => [...run].length === length)
}

function cased(letter: string, alphabet: ReadonlySet<string>): string {
  const ways = [letter, letter.toUpperCase(), letter.toLowerCase()]
  return ways.find((one) => alphabet.has(one)) ?? letter
}

function within(letters: readonly string[], alphabet: ReadonlySet<string>): boolean {
  return letters.every((one) => alphabet.has(one))
}

function refuse({ alphabet, length }: CodeForm, why: string): AuthError {
  const kind = isDigits({ alphabet, length })
    ? 'digits'
    : /^\p{L}+$/u.test(alphabet)
      ? 'letters'
      : 'letters and digits'
  const message = `this is not the code: it has ${length} ${kind}, and ${why}. Nothing was sent`
  return new AuthError('secret_refused', message)
}

/** Whether a telephone's number pad can type it. */
export function isDigits(form: CodeForm | undefined): boolean {
  return form !== undefined && /^\d+$/.test(form.alphabet)
}
