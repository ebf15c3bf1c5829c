const named: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/**
 * The forms in which a secret is searched for: raw, percent-encoded, as JSON and HTML text, in hex, and
 * in base64 and base64url at their three offsets. Written anew, not taken from the redactor, which a
 * search with the same gap would never convict.
 */
export function encodings(secret: string): readonly string[] {
  const bytes = Buffer.from(secret)
  const each = (form: (char: string) => string) => [...secret].map(form).join('')
  const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
  const code = (char: string, radix: number) => (char.codePointAt(0) ?? 0).toString(radix)
  const hex = bytes.toString('hex')
  const base64 = [0, 1, 2].flatMap((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes])
    // Only the characters that the secret alone decides: those at both ends hold its neighbours' bits.
    const from = Math.ceil((offset * 8) / 6)
    const to = Math.floor((whole.length * 8) / 6)
    return (['base64', 'base64url'] as const).map((form) => whole.toString(form).slice(from, to))
  })
  const forms = [
    secret,
    encodeURIComponent(secret),
    percent,
    percent.toUpperCase(),
    JSON.stringify(secret).slice(1, -1),
    each((char) => `\\u${code(char, 16).padStart(4, '0')}`),
    each((char) => named[char] ?? char),
    each((char) => `&#${code(char, 10)};`),
    each((char) => `&#x${code(char, 16)};`),
    hex,
    hex.toUpperCase(),
    ...base64,
  ]
  return [...new Set(forms)]
}

/** Whether a text holds a secret in any of its forms. */
export function holds(text: string, secret: string): boolean {
  return encodings(secret).some((form) => text.includes(form))
}
