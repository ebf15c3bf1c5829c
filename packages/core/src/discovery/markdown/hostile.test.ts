import { expect, it } from 'vitest'
import { readDocument } from './read.ts'

const size = 1_000_000
const fill = (text: string): string => text.repeat(Math.ceil(size / text.length))
const numbered = (count: number, one: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => one(n)).join('')

// Each of these takes minutes to hours, or all of the stack, where nothing guards the parser.
it.each([
  ['500,000 nested lists in one line', fill('- ')],
  ['5 MB of nested lists', '- '.repeat(2_500_000)],
  ['lists in lists', fill('- - - - - - - -x\n')],
  ['quotes in quotes', fill('> > > > > >x\n\n')],
  ['1,400 lists by indentation', numbered(1_400, (n) => `${' '.repeat(n)}- x\n`)],
  ['100,000 link references', numbered(100_000, (n) => `[a${n}]\n\n`)],
  ['40,000 link definitions', numbered(40_000, (n) => `[a${n}]: http://x.test/\n`)],
  ['open brackets', fill('[[[[[[[[[\n')],
  ['open emphasis', fill('*a **a _b\n')],
  ['runs of backticks', numbered(1_400, (n) => `${'`'.repeat(n + 1)} `)],
  ['open comments', fill('x <!--\n')],
  ['underlined headings', fill('a\n=\n')],
  ['table heads', fill('|a|b|\n|-|-|\n')],
  ['URLs', fill('https://x.test/a\n')],
  ['hidden elements', fill('<div hidden>\n\n')],
  ['nested JSON', `\`\`\`json\n${fill('{"a":')}\n\`\`\``],
  ['requests with bodies', fill('```\nPOST /a\n\n{ "a": { "b": 1, // required\n```\n\n')],
  ['one request and no end', `\`\`\`\nPOST /a\n\n{${fill('"a": "b", ')}\n\`\`\``],
  ['commands that do not close', `\`\`\`\n${fill("curl 'x\n")}\`\`\``],
  ['a body without a colon', `\`\`\`\nPOST /a\n\n{${fill('[{')}\n\`\`\``],
  ['fields of one request', `\`POST /a\` with these fields:\n\n${fill('- `b` (required)\n')}`],
  ['steps to a key', fill('1. Sign in. Create a key at https://x.test/api-keys\n')],
  ['answers in one section', `\`POST /a\`\n\n${fill('It returns `a_key`. ')}`],
  ['denials in one sentence', fill('`a`, and no `b` (not `c`, ')],
  ['labels line by line', fill('**issuer**: `https://x.test/`\n')],
  ['paths of sources', fill('a/b.ts `a/b/c/d/e.py` ')],
  ['quotes in a command', `\`\`\`\ncurl ${fill('"')}\n\`\`\``],
])('ends with %s', (_, text) => {
  const { facts, warnings } = readDocument(text, { url: 'https://x.test/auth.md' })
  expect(facts.length).toBeLessThanOrEqual(300)
  expect(warnings.length).toBeGreaterThan(0)
})

it('reads what stands before the flood', () => {
  const text = `**claim_uri:** https://x.test/claim\n\n${fill('- ')}`
  const { facts } = readDocument(text, { url: 'https://x.test/auth.md' })
  expect(facts[0]).toMatchObject({ name: 'claim_uri', value: 'https://x.test/claim' })
})

it('keeps at most 300 facts', () => {
  const text = numbered(2_000, (n) => `* \`POST /a${n}\`\n\n`)
  const { facts } = readDocument(text, { url: 'https://x.test/auth.md' })
  expect(facts).toHaveLength(300)
})

it('reads nothing out of an empty text', () => {
  expect(readDocument('', { url: 'https://x.test/auth.md' })).toEqual({
    facts: [],
    warnings: [],
    isAuthMd: false,
    why: 'it says nothing to agents',
    origins: [],
    links: [],
  })
})
