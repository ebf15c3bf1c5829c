/** A Markdown table, laid out as the formatter does it, so that it has nothing to change. */
export function markdownTable(lines: readonly (readonly string[])[]): string {
  const widths =
    lines[0]?.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0))) ?? []
  const [head = [], ...body] = lines.map((line) =>
    line.map((cell, at) => cell.padEnd(widths[at] ?? 0)),
  )
  const rule = widths.map((width) => '-'.repeat(width))
  return [head, rule, ...body].map((line) => `| ${line.join(' | ')} |`).join('\n')
}
