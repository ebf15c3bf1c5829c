import { fromMarkdown } from 'mdast-util-from-markdown'
import { describe, expect, it } from 'vitest'
import { diagnose, type Report, renderMarkdown, renderTable } from '../src/index.ts'
import { keyPage } from './texts.ts'
import { startWorld } from './world.ts'

const api = 'https://api.things.test'

/** What a hostile service puts wherever a report quotes it. */
const evil =
  '\u001b[2J\u001b]8;;https://evil.test\u0007<img src=x onerror=alert(1)> ``` | @everyone ![x](https://evil.test/x.png) [a](https://evil.test) www.evil.test \u202e # big'

async function hostileReport(): Promise<Report> {
  const { transport } = await startWorld({
    'api.things.test/auth.md': {
      type: 'text/x-evil` | @everyone',
      body: `${keyPage(api).replace('# auth.md', `# ${evil}`)}
* **register_uri (programmatic):** ${evil.replace(/https:\/\/\S+/g, '')} in a browser
* **register_uri (\`| @everyone):** https://api.things.test/${encodeURIComponent(evil)}
- TODO ${evil}
- [more](https://api.things.test/<@everyone>\`|)
`,
    },
    'api.things.test/.well-known/oauth-protected-resource': {
      body: {
        resource: `https://api.things.test/@everyone/${evil}`,
        authorization_servers: [`https://evil.test/${evil}`],
        [`${evil}\n# big _uri`]: evil,
      },
    },
    'api.things.test/.well-known/oauth-authorization-server': {
      body: {
        issuer: evil,
        token_endpoint: evil,
        [`${evil}\n# big _uri`]: evil,
        agent_auth: { identity_types_supported: [evil, '”]( # x'], skill: evil },
      },
    },
    'api.things.test/': {
      status: 401,
      headers: { 'www-authenticate': 'Bearer resource_metadata="/<@everyone>`|"' },
      body: `${evil} ${evil}`,
    },
  })
  return diagnose({ service: api }, { transport })
}

const control = /(?!\n)\p{Cc}|\p{Cf}/u

describe('what a service wrote', () => {
  it('stands in a report without control and hidden characters', async () => {
    const report = await hostileReport()
    expect(report.findings.length).toBeGreaterThan(8)
    expect(JSON.stringify(report)).not.toMatch(/\\u001b|\\u202e|\u202e/)
    for (const color of [false, true]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are looked for.
      expect(renderTable(report, { color }).replace(/\u001b\[\d+m/g, '')).not.toMatch(control)
    }
    expect(renderTable(report)).not.toMatch(control)
    expect(renderMarkdown(report)).not.toMatch(control)
  })

  it('is code in a Markdown report, and makes no element of it', async () => {
    const report = await hostileReport()
    const tree = fromMarkdown(renderMarkdown(report))
    const kinds = new Map<string, number>()
    const plain: string[] = []
    const walk = (node: { type: string; value?: string; children?: unknown[] }): void => {
      kinds.set(node.type, (kinds.get(node.type) ?? 0) + 1)
      if (node.type === 'text') plain.push(node.value ?? '')
      for (const child of node.children ?? []) walk(child as typeof node)
    }
    walk(tree)
    for (const kind of ['link', 'image', 'html', 'definition', 'linkReference', 'imageReference']) {
      expect([kind, kinds.get(kind)]).toEqual([kind, undefined])
    }
    const headings = [...new Set(report.findings.map(({ severity }) => severity))].length + 2
    expect(kinds.get('heading')).toBe(report.findings.length + headings)
    // Elsewhere a site would make links and mentions of it.
    expect(plain.join('\n')).not.toMatch(/@everyone|evil\.test|onerror/)
  })
})

describe('a report as a table', () => {
  it('fits the terminal', async () => {
    const report = await hostileReport()
    for (const columns of [20, 72, 80, 120, 400]) {
      const widest = Math.max(
        ...renderTable(report, { columns })
          .split('\n')
          .slice(2)
          .map((line) => line.length),
      )
      expect(widest).toBeLessThanOrEqual(Math.max(72, Math.min(160, columns)))
    }
  })

  it('says rule, place, problem, cure and source', async () => {
    const text = keyPage(api).replace('the key may not do this.', 'TODO')
    const report = await diagnose({ text, url: 'https://things.test/auth.md' })
    expect(
      renderTable(report, { columns: 100 }),
    ).toBe(`https://things.test/auth.md (text alone, nothing was asked)

warning    /auth.md:25                   document-unfinished
                                         A note was left in the text: “* \`403\`: TODO”
                                         Finish the sentence, or take it out.
                                         [auth.md, introduction]

no errors, 1 warning, no hints
`)
    expect(renderMarkdown(report)).toBe(`# What agents meet at \`https://things.test/auth.md\`

No errors, 1 warning, no hints.

## Warnings

### document-unfinished

A note was left in the text: \`\`* \`403\`: TODO\`\`

- Where: \`https://things.test/auth.md\`, line 25
- Source: auth.md, introduction
- What to do: Finish the sentence, or take it out.
`)
  })
})
