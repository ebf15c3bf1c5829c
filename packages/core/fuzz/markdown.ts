import fc from 'fast-check'
import { readDocument } from '../src/discovery/markdown/read.ts'
import { check, target } from './target.ts'

const document = 'https://docs.svc.example/auth.md'
const hiddenHost = 'hid.example'
const visibleUrl = fc
  .tuple(
    fc.constantFrom('https://api.svc.example', 'https://svc.example', 'https://other.example'),
    fc.constantFrom('', '/v2', '/agent/register', '/claim', '/revoke', '/#/keys', '/v2/x?y=1'),
  )
  .map((parts) => parts.join(''))
const hiddenUrl = fc.constantFrom('', '/register', '/claim', '/keys').map((path) => {
  return `https://${hiddenHost}${path}`
})

const shapes: readonly ((url: string) => string)[] = [
  (url) => `**register_uri (programmatic):** ${url}`,
  (url) => `- \`POST ${url}\` registers an agent`,
  (url) => `**claim_uri:** [your keys](${url})`,
  (url) => `\`\`\`\ncurl -X POST ${url}\n\`\`\``,
  (url) => `| key | value |\n| - | - |\n| base_url | ${url} |`,
  (url) => `The base URL is ${url}. Send \`Authorization: Bearer <key>\`.`,
  (url) => `Base URL: ${url}`,
  (url) => `## Register\n\nSend a POST to ${url}.`,
  (url) => `\`\`\`json\n{"registration_endpoint": "${url}"}\n\`\`\``,
  (url) => `We do not offer \`agent_auth\`; see <${url}>.`,
]
const inlineShapes = shapes.slice(0, 3).concat(shapes.slice(5, 7))
const hides: readonly ((url: string, at: number) => string)[] = [
  (url) => `<!-- POST ${url} -->`,
  (url, at) => `<!--\n${shapes[at % shapes.length]?.(url)}\n-->`,
  (url, at) => `<div hidden>\n\n${shapes[at % shapes.length]?.(url)}\n\n</div>`,
  (url, at) => `<template>\n\n${shapes[at % shapes.length]?.(url)}\n\n</template>`,
  (url, at) => {
    const shape = inlineShapes[at % inlineShapes.length]
    return `Read <span style="display: none">${shape?.(url)}</span> on.`
  },
  (url) => `Some text <!-- **claim_uri:** ${url} --> goes on.`,
  (url, at) => `<section aria-hidden="true">\n\n${shapes[at % shapes.length]?.(url)}\n\n</section>`,
  (url) => `<p style="visibility:hidden">**base_url:** ${url}</p>`,
]
const part = fc.oneof(
  fc
    .tuple(fc.nat({ max: shapes.length - 1 }), visibleUrl)
    .map(([at, url]) => ({ hidden: false, text: shapes[at]?.(url) ?? '' })),
  fc
    .tuple(fc.nat({ max: hides.length - 1 }), hiddenUrl, fc.nat({ max: 20 }))
    .map(([at, url, shape]) => ({ hidden: true, text: hides[at]?.(url, shape) ?? '' })),
)
const noise = fc.constantFrom(
  ...['# ', '**', '`', '```\n', '\n', '\n\n', '- ', '> ', '| ', '|-|-|\n', '---\n', '<!--', '-->'],
  ...['<div hidden>', '</div>', '[a](', ')', '[a]: ', '{"a":', '"', '\u200b', '\u202e', ': '],
  ...['https://api.svc.example/v2', '/v2/agents', 'POST ', 'GET ', 'curl ', '-H ', 'register_uri'],
  ...['base_url', 'claim_uri', 'Authorization: Bearer ', 'not ', 'no ', 'error ', '401', 'é', '𝒳'],
  ...['&amp;', '\\', 'javascript:alert(1)', '$API_KEY', '{id}', '  ', '\t', '\r\n', '\u0000'],
)

/** The reader of texts: facts stand in the text, what is hidden says nothing, all is bounded. */
export const markdownTarget = target({
  name: 'markdown',
  runsInTest: 60,
  arbitrary: fc.record({
    parts: fc.array(part, { maxLength: 8 }),
    noise: fc.array(noise, { maxLength: 60 }),
  }),
  property({ parts, noise }) {
    const text = parts.map((one) => one.text).join('\n\n')
    const said = JSON.stringify(readDocument(text, { url: document }).facts)
    check(!said.includes(hiddenHost), 'hidden text became a fact:', text, said)
    for (const one of [text, noise.join('')]) bounded(one)
  },
})

function bounded(text: string): void {
  const { facts, links } = readDocument(text, { url: document })
  check(facts.length <= 300 && links.length <= 2_000, 'too much is read:', text)
  const lines = text.split(/\r\n|\n|\r/).length
  for (const { value, source, request } of facts) {
    check(value.length <= 4_096 && value !== '', 'a value is too long or empty:', text, value)
    const { line = 1 } = source
    check(line >= 1 && line <= lines, 'a fact stands in no line:', text, line)
    for (const address of [value, request?.url ?? '']) {
      if (!/^https?:/i.test(address) || !URL.canParse(address)) continue
      const { hostname } = new URL(address)
      const stands = text.toLowerCase().includes(hostname) || document.includes(hostname)
      // What is written with escapes or invisible characters stands there in another form.
      const plain = !/[&\\\u200b\u202e\0]/.test(text) && !hostname.startsWith('xn--')
      check(stands || !plain, 'a fact quotes an address that is not there:', text, address)
    }
  }
}
