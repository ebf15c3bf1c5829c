import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { diagnose, renderMarkdown, renderTable } from '../src/index.ts'

const corpus = new URL('../../../../shared/corpus/documents/', import.meta.url)
const present = existsSync(corpus)

const names = present ? readdirSync(corpus).map((name) => name.replace(/\.md$/, '')) : []

const textOf = (name: string) => readFileSync(new URL(`${name}.md`, corpus), 'utf8')
const reports = new Map<string, ReturnType<typeof diagnose>>()
const reportOf = (name: string) => {
  const report = reports.get(name) ?? diagnose({ text: textOf(name) })
  reports.set(name, report)
  return report
}

/** The facts of each document, read by hand. */
const labels: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>> = present
  ? JSON.parse(readFileSync(new URL('../expected.json', corpus), 'utf8'))
  : {}

/** What a publisher would read of their document, as it was judged by hand. */
const judged: Readonly<Record<string, readonly string[]>> = {
  telnyx: [],
  resend: [],
  webclaw: [],
  justhtml: [],
  'laisky-mcp': [],
  counted: ['22 claim-address-missing'],
  weaviate: ['8 errors-missing'],
  nodsend: ['30 agent-auth-register-is-oauth', '1 errors-missing'],
  arabiyapath: ['33 as-other-issuer'],
  'releases-sh': ['21 as-other-issuer', '50 claim-address-missing'],
  'mutinynet-faucet': ['27 key-in-address'],
  monday: ['1 revocation-missing', '82 shown-once-unsaid'],
  apify: ['52 agent-auth-older-version', '103 shown-once-unsaid'],
  firecrawl: ['51 agent-auth-older-version', '119 shown-once-unsaid'],
  docracy: ['23 key-in-address', '1 errors-missing'],
  'gladys-assistant': ['60 key-in-address'],
  lurkers: ['15 document-encoding', '43 shown-once-unsaid'],
  linkmax: ['21 step-contact'],
  deepmatch: ['1 revocation-missing', '31 use-address-missing'],
  'depot-authkit-head': ['25 document-cut-off'],
  'found-for-ai': ['1 revocation-missing', '1 errors-missing', '42 shown-once-unsaid'],
  sigrank: ['24 metadata-relative-address', '25 agent-auth-register-is-oauth'],
  'bayar-digital': [
    '19 resource-differs',
    '37 metadata-relative-address',
    '42 agent-auth-assertion-types',
    '43 label-misspelt',
    '103 shown-once-unsaid',
  ],
  'workos-reference-v0-6': ['30 document-placeholder'],
  syntrabook: ['19 document-placeholder', '1 document-for-builders'],
}

const sentence = (text: string) => text.replace(/[\s*_\\`<>]+/g, ' ').trim()

/** What a reader of the document has noted as said by it; where it is, nothing may call it missing. */
const saidBy: Readonly<Record<string, readonly string[]>> = {
  'use-header-missing': ['header_scheme'],
  'use-address-missing': ['use_base_url', 'mcp_url', 'resource'],
  'revocation-missing': ['revocation_uri'],
  'errors-missing': ['error_codes'],
  'claim-address-missing': ['claim_uri'],
}

describe.skipIf(!present)('published documents (skipped where ../shared/corpus is missing)', () => {
  it.each(Object.entries(judged))('%s', async (name, expected) => {
    const { findings } = await reportOf(name)
    expect(findings.map(({ place, rule }) => `${place.line} ${rule}`)).toEqual(expected)
  })

  it('have reports that can be read', async () => {
    expect(names.length).toBeGreaterThan(40)
    for (const name of names) {
      const report = await reportOf(name)
      expect(report.findings.length, name).toBeLessThanOrEqual(5)
      expect(renderTable(report)).toContain('The text alone')
      expect(renderMarkdown(report)).toContain('# A text for agents')
    }
  })

  it('name lines that are there, and hold what they quote or are about', async () => {
    let quoted = 0
    for (const name of names) {
      const lines = textOf(name).split(/\r\n|\n|\r/)
      for (const { rule, place, problem } of (await reportOf(name)).findings) {
        const { line = 0, at } = place
        const here = sentence(lines.slice(line - 1, line + 5).join(' '))
        expect(lines[line - 1], `${name}: ${rule}`).toMatch(/\S/)
        const [, quote] = /“([^”…]{3,40})/.exec(problem) ?? []
        if (quote !== undefined) expect(here, `${name}: ${rule}`).toContain(sentence(quote))
        if (at !== undefined && !rule.endsWith('assertion-types')) {
          expect(lines[line - 1], `${name}: ${rule}`).toContain(at.split('.').at(-1))
        }
        quoted += quote === undefined ? 0 : 1
      }
    }
    expect(quoted).toBeGreaterThan(8)
  })

  it('say a thing once, and call nothing missing that the labels have', async () => {
    let missing = 0
    for (const name of names) {
      const { findings } = await reportOf(name)
      const places = findings.map(({ rule, place }) => `${rule} ${place.line} ${place.at}`)
      expect(new Set(places).size, name).toBe(places.length)
      for (const { rule } of findings) {
        for (const fact of saidBy[rule] ?? []) {
          expect(labels[name]?.[fact] ?? null, `${name}: ${rule}, ${fact}`).toBeNull()
          missing += 1
        }
        if (rule.startsWith('agent-auth-')) {
          expect(labels[name]?.agent_auth_block, `${name}: ${rule}`).not.toBeNull()
        }
      }
    }
    expect(missing).toBeGreaterThan(8)
  })
})
