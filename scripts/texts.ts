// Writes docs/texts.md: every sentence of ours that a person or a model can read, where it stands in the sources,
// so that all of them can be reviewed in one place; with --check it only compares.
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync } from 'oxc-parser'

const root = join(import.meta.dirname, '..')
const page = join(root, 'docs/texts.md')

interface Part {
  readonly title: string
  readonly says: string
  readonly files: readonly string[]
}

const parts: readonly Part[] = [
  {
    title: 'What a person agrees to',
    says: 'The exact words of a question, in a chat, on a page or at the terminal. What each way in puts into them is below.',
    files: ['packages/core/src/consent'],
  },
  {
    title: 'Pages',
    says: 'What stands in a browser: handing something over, approving, the console.',
    files: [
      'packages/core/src/people',
      'packages/core/src/node/local-server.ts',
      'packages/core/src/node/redirect-server.ts',
      'apps/console/src',
    ],
  },
  {
    title: 'At the terminal',
    says: 'The command line, and what asks a person there.',
    files: [
      'packages/cli/src',
      'packages/core/src/node/prompt-person.ts',
      'packages/core/src/node/terminal.ts',
    ],
  },
  {
    title: 'What every way in tells',
    says: 'Outcomes, the next call, and the tools themselves. A model reads them, and tells a person what is theirs.',
    files: [
      'packages/core/src/tools',
      'packages/core/src/engine',
      'packages/core/src/use',
      'packages/core/src/mcp',
      'packages/core/src/identity',
      'packages/core/src/*.ts',
      ...['ai-sdk', 'langchain', 'mastra', 'mcp'].map((name) => `packages/${name}/src`),
    ],
  },
  {
    title: 'What one way in tells',
    says: 'The same of each method: what it makes, waits for, and how it ends.',
    files: ['packages/core/src/methods'],
  },
  {
    title: 'What was found',
    says: 'Notes of discovery: what was looked at, and what was left out and why.',
    files: ['packages/core/src/discovery'],
  },
  {
    title: 'Errors',
    says: 'Of addresses, connections, keys and stores. Who runs the agent reads them, and the model in short.',
    files: [
      'packages/core/src/net',
      'packages/core/src/vault',
      'packages/core/src/node',
      ...['store-postgres', 'store-redis', 'opentelemetry'].map((name) => `packages/${name}/src`),
    ],
  },
]

/** Where what looks like a sentence is a pattern, a style or a program. */
const noTexts =
  /\.test\.ts$|fixture|redactor-answers|markdown\/rules\/|proof-of-work|style\.ts$|looks\.ts$|redis\/src\/scripts/

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'

/** The texts of a file in their order, each once. */
function textsOf(file: string): readonly string[] {
  const source = readFileSync(join(root, file), 'utf8')
  const { program, errors } = parseSync(file, source)
  if (errors[0] !== undefined) throw new Error(`${file}: ${errors[0].message}`)
  const found = new Set<string>()

  function visit(value: unknown): void {
    if (Array.isArray(value)) for (const one of value) visit(one)
    if (!isNode(value) || skipped(value)) return
    const text = textOf(value)
    if (text !== undefined) add(text)
    if (text !== undefined && value.type === 'BinaryExpression') return
    for (const [key, child] of Object.entries(value)) if (key !== 'parent') visit(child)
  }

  function textOf(node: unknown): string | undefined {
    if (!isNode(node)) return undefined
    if (node.type === 'Literal' && typeof node.value === 'string') return node.value
    if (node.type === 'TemplateLiteral') return words(node)
    if (node.type !== 'BinaryExpression' || node.operator !== '+') return undefined
    const [left, right] = [textOf(node.left), textOf(node.right)]
    return left === undefined || right === undefined ? undefined : left + right
  }

  /** A template with its values by their names. */
  function words({ quasis, expressions }: Node): string {
    const values = (expressions as Node[]).map(({ type, start, end }) => {
      const name = /[\w$]+$/.exec(source.slice(start, end))?.[0]
      return type === 'Identifier' || type === 'MemberExpression' ? `{${name ?? '…'}}` : '{…}'
    })
    const texts = (quasis as { value: { cooked: string } }[]).map(({ value }) => value.cooked)
    return texts.map((text, at) => text + (values[at] ?? '')).join('')
  }

  function add(text: string): void {
    const isPage = /<\/[a-z0-9]+>|<(?:p|li|div)\b/.test(text)
    const pieces = isPage ? text.split(/<\/?[a-z!](?:[^>{]|\{[^}]*\})*>/) : [text]
    for (const piece of pieces) {
      const line = piece.replace(/\s+/g, ' ').trim()
      const plain = line.replace(/\{[^}]*\}/g, ' ').trim()
      const enough = isPage ? /[A-Za-z]{2}/.test(plain) : /[a-z]+[,.:;]? [a-z]+/.test(plain)
      if (enough && (isPage || line.split(' ').length > 2) && !isCode(line)) found.add(line)
    }
  }

  visit(program)
  return [...found]
}

/** No text of ours: what names, types and patterns hold, and errors for who writes the code. */
function skipped(node: Node): boolean {
  const { type, tag, callee } = node
  if (/^Import|^Export(All|Default)|^TSLiteralType/.test(type)) return true
  if (type === 'TaggedTemplateExpression') return isNode(tag) && tag.type === 'MemberExpression'
  const name = isNode(callee) ? callee.name : undefined
  if (type === 'NewExpression') return /^(Type|Range)?Error$|^RegExp$/.test(String(name))
  return type === 'CallExpression' && /^(sha256|hmacSha256)$/.test(String(name))
}

/** SQL, and lists of names. */
function isCode(line: string): boolean {
  if (/^(select|insert|update|with|delete|create)\b.*\b(from|into|set|as)\b/.test(line)) return true
  const words = line.split(' ')
  return (
    words.length > 7 && words.every((word) => /^[\w-]+$/.test(word)) && /[_-]|[a-z]{13}/.test(line)
  )
}

function written(): string {
  const taken = new Set<string>()
  const sections = parts.map(({ title, says, files }) => {
    const paths = files.flatMap((path) => {
      const pattern = path.endsWith('.ts') ? path : `${path}/**/*.ts`
      return globSync(pattern, { cwd: root }).sort()
    })
    const blocks = paths.flatMap((path) => {
      if (taken.has(path) || noTexts.test(path)) return []
      taken.add(path)
      const texts = textsOf(path)
      return texts.length === 0 ? [] : [`### ${path}\n\n\`\`\`text\n${texts.join('\n')}\n\`\`\``]
    })
    return [`## ${title}`, says, ...blocks].join('\n\n')
  })
  return `# Everything that is said

Written by \`pnpm texts\` from the sources; CI compares it. Each sentence stands where it is decided, and here once more, so that a
change of words can be read and reviewed as words. \`{name}\` is what is filled in, \`{…}\` what is made of several
things. What the [doctor](doctor-rules.md) says to publishers has a page of its own.

Each says what happened, what it means, or what to do; an outcome says all three, and ends with the next call. Words of a
service are never among ours: they are quoted, or fenced.

${sections.join('\n\n')}
`
}

const text = written()
if (!process.argv.includes('--check')) {
  writeFileSync(page, text)
} else if (readFileSync(page, 'utf8') !== text) {
  console.error('docs/texts.md is not what the sources say: pnpm texts')
  process.exit(1)
}
