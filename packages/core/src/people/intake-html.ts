/** Text that is HTML already. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
/** What a reader would not see, or what would turn the text around it: written out. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** A piece of HTML; every value in it that is not HTML itself is text and written as such. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Html)[]): Html {
  const text = parts.reduce((all, part, at) => `${all}${written(values[at - 1] ?? '')}${part}`)
  return new Html(text)
}

export function joined(items: readonly Html[], between: string): Html {
  return new Html(items.map(({ text }) => text).join(between))
}

function written(value: string | Html): string {
  if (value instanceof Html) return value.text
  return value
    .replace(unseen, (char) => (char === '\n' ? ' ' : `\\u{${char.codePointAt(0)?.toString(16)}}`))
    .replace(/[&<>"']/g, (char) => escapes[char] ?? '')
}
