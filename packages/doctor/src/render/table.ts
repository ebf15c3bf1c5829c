import { styleText } from 'node:util'
import { nowhere } from '../document.ts'
import type { Finding, Place, Report, Severity } from '../report.ts'
import { countsOf } from './counts.ts'

/** Settings of {@link renderTable}. */
export interface TableOptions {
  /** Columns of the terminal. Default: 100; fewer than 72 count as 72. */
  readonly columns?: number
  /** Default: no colours. */
  readonly color?: boolean
}

const colors = { error: 'red', warning: 'yellow', hint: 'cyan' } as const
const whereWidth = 28

/**
 * A report as a table for a terminal, a line feed at its end. Nothing in it moves the cursor: what a
 * service wrote has lost its control characters.
 *
 * @example process.stdout.write(renderTable(report, { columns: process.stdout.columns }))
 */
export function renderTable(report: Report, options: TableOptions = {}): string {
  const { color = false } = options
  const columns = Math.max(72, Math.min(160, options.columns ?? 100))
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    color ? styleText(style, text, { validateStream: false }) : text
  const lines: string[] = []
  const shown = (severity: Severity) => paint(colors[severity], severity.padEnd(9))
  for (const finding of report.findings) {
    const where = wrap(whereOf(finding.place, report), whereWidth)
    const what = whatOf(finding, columns - 9 - whereWidth - 4)
    for (let at = 0; at < Math.max(where.length, what.length); at++) {
      const first = at === 0 ? shown(finding.severity) : ' '.repeat(9)
      const text = what[at] ?? ''
      const last = at === 0 ? paint('bold', text) : text
      lines.push(`${first}  ${(where[at] ?? '').padEnd(whereWidth)}  ${last}`.trimEnd())
    }
    lines.push('')
  }
  return `${subjectOf(report)}\n\n${lines.length > 0 ? `${lines.join('\n')}\n` : ''}${countsOf(report)}\n`
}

function subjectOf({ target, document, asked }: Report): string {
  if (target === nowhere) return 'The text alone: nothing was asked.'
  const read = document === undefined ? 'no auth.md' : document === target ? undefined : document
  const how = asked.length === 0 ? 'text alone, nothing was asked' : `${asked.length} requests`
  return `${target} (${[read, how].filter(Boolean).join('; ')})`
}

/** A path where the host is the one that was asked. */
function whereOf({ url, line, at }: Place, { target }: Report): string {
  const [place, asked] = [URL.parse(url), URL.parse(target)]
  const own = place && asked && place.origin === asked.origin
  const short = url.startsWith(nowhere)
    ? ''
    : own
      ? `${place.pathname}${place.search}`
      : url.replace(/^https?:\/\//, '')
  const where = line === undefined ? short : short === '' ? `line ${line}` : `${short}:${line}`
  return at === undefined ? where : `${where} ${at}`
}

function whatOf({ rule, problem, fix, source, text }: Finding, width: number): string[] {
  const given = text === undefined ? [] : text.split('\n').flatMap((one) => wrap(`  ${one}`, width))
  return [
    rule,
    ...wrap(problem, width),
    ...wrap(fix, width),
    ...given,
    ...wrap(`[${source}]`, width),
  ]
}

/** Lines of at most `width` characters, broken at blanks where there are any. */
function wrap(text: string, width: number): string[] {
  const indent = /^ */.exec(text)?.[0] ?? ''
  const lines: string[] = []
  let line = indent
  for (const word of text.trim().split(' ')) {
    let rest = word
    while (rest !== '') {
      const gap = line.trim() === '' ? '' : ' '
      if (line.length + gap.length + rest.length <= width) {
        line += gap + rest
        break
      }
      if (line.trim() !== '') {
        lines.push(line)
        line = indent
        continue
      }
      lines.push(indent + rest.slice(0, width - indent.length))
      rest = rest.slice(width - indent.length)
    }
  }
  return line.trim() === '' && lines.length > 0 ? lines : [...lines, line]
}
