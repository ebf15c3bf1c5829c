import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { markdownTable } from '../../../scripts/markdown-table.ts'
import { ruleList } from '../src/index.ts'

it('gives every rule a name of its own, a weight and a source', () => {
  expect(new Set(ruleList.map(({ id }) => id)).size).toBe(ruleList.length)
  expect(ruleList.length).toBeGreaterThan(50)
  for (const { id, severity, source, finds } of ruleList) {
    expect(id).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)+$/)
    expect(['error', 'warning', 'hint']).toContain(severity)
    expect(source, id).toMatch(/^(?:RFC \d{4}|auth\.md)/)
    expect(finds, id).not.toMatch(/^[A-Z]|\.$/)
  }
})

it('tells of every rule in the documentation (written by `vitest -u`)', async () => {
  const lines = ruleList.map(({ id, severity, finds, source }) => [
    `\`${id}\``,
    severity,
    finds,
    source,
  ])
  const page = `# What the doctor checks

Every rule of \`@authmd/doctor\`, from the rules themselves. How to run it: [doctor](../packages/doctor/README.md).
An **error** makes agents fail, a **warning** makes some of them fail, a **hint** is about what could be said better.

${markdownTable([['rule', 'weight', 'finds', 'source'], ...lines])}

“auth.md” with a heading or a field is the convention's own text; the newest numbered version is v0.7.
`
  await expect(page).toMatchFileSnapshot('../../../docs/doctor-rules.md')
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  expect(readme).toContain('docs/doctor-rules.md')
})
