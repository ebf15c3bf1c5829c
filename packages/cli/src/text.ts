/** What a terminal obeys or does not show: control characters (ESC and CSI too), directions, blanks of no width. */
const hidden = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{DI}\p{Zl}\p{Zp}]/gu

/** A text that may hold a service's words, as one line that a terminal only shows. */
export function line(text: string, maxChars = 1_000): string {
  const plain = text.replace(/\s+/g, ' ').replace(hidden, '').trim()
  const shown = cut(plain, maxChars)
  return shown === plain ? plain : `${shown}…`
}

/** A service's words in a line of ours. */
export function words(text: string, maxChars = 300): string {
  return `"${line(text, maxChars).replaceAll('"', "'")}"`
}

/** A service's text with its lines, each behind a bar, so that none can be taken for one of ours. */
export function quoted(text: string, maxChars = 4_000): readonly string[] {
  return plainLines(text, maxChars).map((one) => `  │ ${one}`)
}

/** A service's text as it may be written to a terminal or a file, with its lines and nothing that is obeyed. */
export function plainLines(text: string, maxChars: number = Number.POSITIVE_INFINITY): string[] {
  const shown = cut(text, maxChars)
  const lines = shown
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map((one) => one.replaceAll('\t', '  ').replace(hidden, ''))
  return shown === text ? lines : [...lines, `[cut: ${text.length} characters in all]`]
}

/** One line of JSON in which what a terminal would obey or hide is written as an escape. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(hidden, (char) =>
    Array.from({ length: char.length }, (_, at) => {
      return `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`
    }).join(''),
  )
}

/** Rows with columns as wide as their longest entry; the last one is left as it is. */
export function columns(rows: readonly (readonly string[])[], indent = '  '): readonly string[] {
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  )
  return rows.map((row) => {
    const cells = row.map((cell, at) =>
      at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0),
    )
    return `${indent}${cells.join('  ')}`.trimEnd()
  })
}

/** To the minute, in UTC: `2026-01-31 12:05Z`. */
export function time(ms: number): string {
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) return 'at an unknown time'
  return date
    .toISOString()
    .replace('T', ' ')
    .replace(/:\d\d\.\d+Z$/, 'Z')
}

/** The beginning of a text, without half a character at its end. */
function cut(text: string, maxChars: number): string {
  return text.slice(0, maxChars).replace(/[\ud800-\udbff]$/, '')
}
