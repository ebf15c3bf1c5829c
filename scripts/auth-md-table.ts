// Writes docs/auth-md-versions.md from the reports of the tests; with --check it only compares.
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { markdownTable } from './markdown-table.ts'

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[]
  }[]
}

const root = join(import.meta.dirname, '..')
const versions = [
  ...['v0.1', 'draft-register', 'v0.2', 'v0.3', 'v0.4', 'v0.5', 'v0.6', 'v0.7'],
  ...['readback', 'hosted'],
]
const marks: Readonly<Record<string, string>> = { passed: 'yes', failed: '**no**' }

/** Version, type and ceremony → the tests that walked them: `auth.md: v0.7 | service_auth | typed code`. */
const rows = new Map<string, string[]>()
for (const report of globSync('packages/*/.report/vitest.json', { cwd: root }).sort()) {
  const { testResults } = JSON.parse(readFileSync(join(root, report), 'utf8')) as Report
  for (const { name, assertionResults } of testResults) {
    const file = relative(join(root, 'packages'), name)
    for (const { title, status } of assertionResults) {
      const row = /^auth\.md: ([^|]+ \| [^|]+ \| [^|]+)$/.exec(title)?.[1]
      if (row === undefined) continue
      const test = `[${file}](../packages/${file}): ${marks[status] ?? status}`
      rows.set(row, [...(rows.get(row) ?? []), test])
    }
  }
}

/** The versions in their order, then what sites made of them. */
const place = (version = '') => {
  const at = versions.indexOf(version)
  return at < 0 ? `z ${version}` : String.fromCharCode(97 + at)
}
const lines = [...rows].map(([row, tests]) => [...row.split(' | '), tests.join(', ')])
lines.sort((a, b) => {
  const [one, other] = [a, b].map(([version, ...rest]) => `${place(version)} ${rest[0]}`)
  return (one ?? '').localeCompare(other ?? '', 'en')
})
const missing = versions.filter((version) => !lines.some(([walked]) => walked === version))
const text = `# Every version of auth.md

Written by \`pnpm auth-md-table\` from the report of the last test run; CI compares it with its own.
Each row is walked through an adapter in its framework's real loop, with the framework's fake model against the
sandbox's service of that version, which is written from the published texts: from the URL to an authorised call, by
the person's part of the ceremony, to a call after the token's time where there is a way to renew it. What the
framework holds at the end has no secret of the service. \`verified_email\` is what \`service_auth\` was called
before v0.6; below the versions stand what sites made of them, and the round trips that each takes are literals in
\`packages/core/test/round-trips.test.ts\`.

${markdownTable([['version', 'identity type', 'ceremony', 'test'], ...lines])}
`

const file = join(root, 'docs/auth-md-versions.md')
if (missing.length > 0) {
  console.error(`no test has walked ${missing.join(', ')}`)
  process.exit(1)
}
if (!process.argv.includes('--check')) writeFileSync(file, text)
else if (readFileSync(file, 'utf8') !== text) {
  console.error('docs/auth-md-versions.md differs from this run: pnpm auth-md-table')
  process.exit(1)
}
