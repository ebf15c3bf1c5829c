import { nowhere } from '../document.ts'
import { type Finding, type Report, type Severity, severities } from '../report.ts'
import { countsOf } from './counts.ts'

const titles: Readonly<Record<Severity, string>> = {
  error: 'Errors',
  warning: 'Warnings',
  hint: 'Hints',
}

/**
 * A report as Markdown, for an issue or a pull request. What a service wrote stands in code only: it
 * makes no link, no heading, no mention and no HTML.
 *
 * @example writeFileSync('doctor.md', renderMarkdown(report))
 */
export function renderMarkdown(report: Report): string {
  const { target, document, findings, asked } = report
  const about = target === nowhere ? 'A text for agents' : `What agents meet at ${code(target)}`
  const counts = countsOf(report)
  const parts = [`# ${about}`, `${counts.charAt(0).toUpperCase()}${counts.slice(1)}.`]
  if (document !== undefined && document !== target) parts.push(`The text is ${code(document)}.`)
  for (const severity of severities) {
    const own = findings.filter((one) => one.severity === severity)
    if (own.length > 0) parts.push(`## ${titles[severity]}`, ...own.map(section))
  }
  if (asked.length > 0) {
    parts.push(
      '## What was asked',
      asked
        .map(
          ({ url, method, status, error }) =>
            `- ${method} ${code(url)}: ${status ?? error ?? 'open'}`,
        )
        .join('\n'),
    )
  }
  return `${parts.join('\n\n')}\n`
}

function section({ rule, place, problem, source, fix, text }: Finding): string {
  const line = place.line === undefined ? '' : `, line ${place.line}`
  const at = place.at === undefined ? '' : `, ${code(place.at)}`
  const where =
    place.url === nowhere ? `${line}${at}`.replace(/^, /, '') : `${code(place.url)}${line}${at}`
  const parts = [
    `### ${rule}`,
    `${words(problem)}`,
    [
      where === '' ? [] : `- Where: ${where}`,
      `- Source: ${words(source)}`,
      `- What to do: ${words(fix)}`,
    ]
      .flat()
      .join('\n'),
  ]
  if (text !== undefined) parts.push(block(text))
  return parts.join('\n\n')
}

/** Our words, with what is quoted in them as code. */
function words(text: string): string {
  return text
    .split(/(“[^”]*”)/)
    .map((part) => (part.startsWith('“') ? code(part.slice(1, -1)) : escaped(part)))
    .join('')
}

function escaped(text: string): string {
  return text.replace(/[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/g, (sign) =>
    '\\`*_[]<>#|&@~'.includes(sign) ? `\\${sign}` : sign,
  )
}

/** As code, whatever backticks are in it. */
function code(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  const ticks = '`'.repeat(longestRun(line) + 1)
  const pad = line === '' || /^[` ]|[` ]$/.test(line) ? ' ' : ''
  return `${ticks}${pad}${line}${pad}${ticks}`
}

function block(text: string): string {
  const fence = '`'.repeat(Math.max(3, longestRun(text) + 1))
  return `${fence}text\n${text}\n${fence}`
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
}
