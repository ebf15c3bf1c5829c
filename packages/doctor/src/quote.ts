/**
 * Somebody else's words as they may stand in a report: one line, cut. What stands between these marks is
 * theirs, all else is ours: the Markdown report relies on it. What is hidden in it the report drops.
 */
export function quote(text: string, most = 120): string {
  const line = text
    .slice(0, 4 * most)
    .replace(/[“”]/g, '"')
    .replace(/\s+/g, ' ')
    .trim()
  return `“${line.length > most ? `${line.slice(0, most - 1)}…` : line}”`
}

/** Several of them; what exceeds three is counted. */
export function quotes(texts: readonly string[]): string {
  const shown = texts.slice(0, 3).map((one) => quote(one, 80))
  return texts.length > 3 ? `${shown.join(', ')} and ${texts.length - 3} more` : shown.join(', ')
}
