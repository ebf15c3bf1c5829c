import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { diagnose, renderMarkdown, renderTable } from '../src/index.ts'

const corpus = new URL('../../../../shared/corpus/documents/', import.meta.url)
const present = existsSync(corpus)

const reportOf = (name: string) =>
  diagnose({ text: readFileSync(new URL(`${name}.md`, corpus), 'utf8') })

/** What a publisher would read of their document, as it was judged by hand. */
const judged: Readonly<Record<string, readonly string[]>> = {
  telnyx: [],
  resend: [],
  webclaw: [],
  justhtml: [],
  weaviate: [],
  monday: ['82 shown-once-unsaid'],
  apify: ['52 agent-auth-older-version'],
  firecrawl: ['51 agent-auth-older-version'],
  docracy: ['23 key-in-address'],
  'gladys-assistant': ['60 key-in-address'],
  lurkers: ['15 document-encoding'],
  linkmax: ['21 step-contact'],
  'laisky-mcp': ['28 label-without-mode'],
  'found-for-ai': ['40 shown-once-unsaid'],
  'bayar-digital': [
    '36 metadata-relative-address',
    '36 agent-auth-assertion-types',
    '43 label-misspelt',
    '101 shown-once-unsaid',
  ],
  'workos-reference-v0-6': ['28 document-placeholder'],
  syntrabook: ['19 document-placeholder', '1 document-for-builders'],
}

describe.skipIf(!present)('published documents (skipped where ../shared/corpus is missing)', () => {
  it.each(Object.entries(judged))('%s', async (name, expected) => {
    const { findings } = await reportOf(name)
    expect(findings.map(({ place, rule }) => `${place.line} ${rule}`)).toEqual(expected)
  })

  it('have reports that can be read', async () => {
    const names = readdirSync(corpus).map((name) => name.replace(/\.md$/, ''))
    expect(names.length).toBeGreaterThan(40)
    for (const name of names) {
      const report = await reportOf(name)
      expect(report.findings.length, name).toBeLessThanOrEqual(4)
      expect(renderTable(report)).toContain('The text alone')
      expect(renderMarkdown(report)).toContain('# A text for agents')
    }
  })
})
