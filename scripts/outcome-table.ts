// Writes docs/outcomes.md from the reports of the adapters' tests; with --check it only compares.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { markdownTable } from './markdown-table.ts'

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[]
      readonly title: string
      readonly status: string
    }[]
  }[]
}

const root = join(import.meta.dirname, '..')
const frameworks = ['ai-sdk', 'langchain', 'mastra']
const modes = ['generate', 'stream', 'resume']
const marks: Readonly<Record<string, string>> = { passed: 'yes', failed: '**no**' }

/** Scenario → column → mark, the scenarios in the order of the first report. */
const rows = new Map<string, Map<string, string>>()
for (const framework of frameworks) {
  const file = join(root, 'packages', framework, '.report/vitest.json')
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report
  const run = report.testResults.find(({ name }) => name.endsWith('/scenarios.test.ts'))
  if (run === undefined) throw new Error(`${framework}: its scenarios were not run`)
  for (const { ancestorTitles, title, status } of run.assertionResults) {
    const row = rows.get(title) ?? new Map<string, string>()
    row.set(`${framework} ${ancestorTitles.at(-1)}`, marks[status] ?? status)
    rows.set(title, row)
  }
}

const columns = frameworks.flatMap((framework) => modes.map((mode) => `${framework} ${mode}`))
const groups = Map.groupBy(rows.keys(), (title) => title.split(':', 1)[0] ?? '')
const tables = [...groups].map(([group, titles]) => {
  const cells = (title: string) =>
    columns.map((column) => rows.get(title)?.get(column) ?? 'not run')
  const lines = [
    [group, ...columns],
    ...[...titles].map((title) => [title.slice(group.length + 2), ...cells(title)]),
  ]
  return markdownTable(lines)
})

const text = `# Every scenario in every framework

Written by \`pnpm outcomes\` from the report of the last test run; CI compares it with its own.
Each adapter runs the scenarios of \`packages/scenarios\` in its framework's real loop with the framework's
fake model against the sandbox: in one call (generate), as a stream, and with every answer given to objects
made anew over what the framework has stored (resume). What a model reads is compared with the same files
for all of them; after a hostile case the service's log must hold no request with effect, or only the one
that a person agreed to.

${tables.join('\n\n')}
`

const file = join(root, 'docs/outcomes.md')
if (!process.argv.includes('--check')) writeFileSync(file, text)
else if (readFileSync(file, 'utf8') !== text) {
  console.error('docs/outcomes.md differs from this run: pnpm outcomes')
  process.exit(1)
}
