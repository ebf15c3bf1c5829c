// Writes the table of docs/security.md from scripts/security-cases.ts and the reports of the last test run;
// with --check it only compares. A case whose tests did not pass, or that has none, fails.
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { markdownTable } from './markdown-table.ts'
import { type SecurityCase, securityCases } from './security-cases.ts'

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

const root = join(import.meta.dirname, '..')
const [begin, end] = ['<!-- security-table -->', '<!-- /security-table -->']
const faults: string[] = []

/** File below `packages`, or from `apps` on → its tests. */
const ran = new Map<string, Report['testResults'][number]['assertionResults']>()
for (const path of globSync('{packages,apps}/*/.report/vitest.json', { cwd: root })) {
  const report = JSON.parse(readFileSync(join(root, path), 'utf8')) as Report
  for (const { name, assertionResults } of report.testResults) {
    ran.set(relative(root, name).replace(/^packages\//, ''), assertionResults)
  }
}

function verify({ what, tests, missing }: SecurityCase): void {
  if (tests.length === 0 && missing === undefined) faults.push(`no test for: ${what}`)
  if (tests.length === 0 && missing !== undefined)
    console.log(`without a test: ${what} (${missing})`)
  if (tests.length > 0 && missing !== undefined) faults.push(`missing, and yet tested: ${what}`)
  for (const test of tests) {
    const [file, name] = parts(test)
    const found = (ran.get(file) ?? []).filter(({ fullName }) => fullName.includes(name))
    const passed = found.filter(({ status }) => status === 'passed')
    if (passed.length === 0) faults.push(`did not run and pass: ${test}`)
    if (found.some(({ status }) => status === 'failed')) faults.push(`failed: ${test}`)
  }
}

function parts(test: string): [string, string] {
  const at = test.indexOf(': ')
  return [test.slice(0, at), test.slice(at + 2)]
}

function row({ what, tests, missing }: SecurityCase): string[] {
  const byFile = Map.groupBy(tests, (test) => parts(test)[0])
  const cells = [...byFile].map(([file, some]) => {
    const names = some.map((test) => `“${parts(test)[1]}”`.replace(/[\\|*_<>[\]`]/g, '\\$&'))
    const at = file.startsWith('apps/') ? file : `packages/${file}`
    return `[${file}](../${at}): ${names.join(', ')}`
  })
  return [what, missing === undefined ? cells.join('; ') : `none: ${missing}`]
}

const tables = Object.entries(securityCases).map(([section, cases]) => {
  for (const one of cases) verify(one)
  return `### ${section}\n\n${markdownTable([['what comes', 'tests'], ...cases.map(row)])}`
})
const file = join(root, 'docs/security.md')
const before = readFileSync(file, 'utf8')
const from = before.indexOf(begin) + begin.length
const text = `${before.slice(0, from)}\n\n${tables.join('\n\n')}\n\n${before.slice(before.indexOf(end))}`
if (!process.argv.includes('--check')) writeFileSync(file, text)
else if (before !== text) faults.push('docs/security.md differs: pnpm security-table')
for (const fault of faults) console.error(fault)
process.exitCode = faults.length === 0 ? 0 : 1
