import type { Nodes, PhrasingContent, Root, RootContent, Table } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table'
import { gfmTable } from 'micromark-extension-gfm-table'
import { withoutHidden } from './clean.ts'
import { guard } from './guard.ts'
import { type Clause, clausesOf, plain, splitUrls, type Token } from './tokens.ts'

/** One thing that a document says, with where it says it. */
export interface Statement {
  readonly kind: 'heading' | 'paragraph' | 'item' | 'row' | 'code'
  /** The headings above it, outermost first. */
  readonly headings: readonly string[]
  /** Line in the text, from 1. */
  readonly line: number
  readonly tokens: readonly Token[]
  readonly clauses: readonly Clause[]
  readonly text: string
  /** For a row: its cells. */
  readonly cells?: readonly (readonly Token[])[]
  /** For a row: the texts of the table's head, in lower case. */
  readonly columns?: readonly string[]
  /** For a code block: its content, and the first word behind the fence in lower case. */
  readonly code?: string
  readonly info?: string
  /** Line of the first line of code, without its fence. */
  readonly codeLine?: number
  /** For a code block or an item: the text right before it. */
  readonly lead?: string
  /** What stands in the same section: one object for all of its statements. */
  readonly section: Section
}

/** What stands between two headings. */
export interface Section {
  /** Cut at 6,000 characters. */
  readonly text: string
}

/** A document as a flat list of statements. */
export interface Outline {
  readonly statements: readonly Statement[]
  readonly title?: string
  readonly warnings: readonly string[]
}

/** Reads Markdown into statements. Hidden text is dropped and reported; never throws, linear time. */
export function outlineOf(source: string): Outline {
  const guarded = guard(source)
  const warnings = new Set<string>(guarded.warnings)
  let tree: Root
  try {
    tree = fromMarkdown(guarded.text, {
      extensions: [gfmTable()],
      mdastExtensions: [gfmTableFromMarkdown()],
    })
  } catch {
    return { statements: [], warnings: [...warnings, 'The text could not be parsed as Markdown.'] }
  }
  const walk = new Walk(warnings)
  if (guarded.frontMatter) {
    walk.addCode(guarded.frontMatter.text, 'yaml', guarded.frontMatter.line)
  }
  walk.blocks(tree.children)
  const statements = withSections(walk.statements)
  const title = statements.find(({ kind }) => kind === 'heading')?.text
  return { statements, ...(title !== undefined && { title }), warnings: [...warnings] }
}

const maxSection = 6_000

function withSections(statements: readonly Omit<Statement, 'section'>[]): Statement[] {
  const sections = new Map<string, { text: string }>()
  return statements.map((one) => {
    const key = one.headings.join('\n')
    const section = sections.get(key) ?? { text: '' }
    sections.set(key, section)
    const room = maxSection - section.text.length
    if (one.kind !== 'heading' && room > 0) section.text += `${one.text.slice(0, room)}\n`
    return { ...one, section }
  })
}

/** Words, codes and links of one statement that are looked at. */
const maxTokens = 200

interface Place {
  readonly kind: 'paragraph' | 'item'
  readonly lead: string
}

class Walk {
  readonly statements: Omit<Statement, 'section'>[] = []
  private readonly definitions = new Map<string, string>()
  private readonly path: { depth: number; text: string }[] = []
  private readonly warnings: Set<string>
  /** Names of the HTML elements that are open and hide what they hold. */
  private readonly hiding: string[] = []
  private lead = ''

  constructor(warnings: Set<string>) {
    this.warnings = warnings
  }

  blocks(nodes: readonly RootContent[]): void {
    // A definition may stand behind its use.
    const queue: Nodes[] = [...nodes]
    for (let node = queue.pop(); node; node = queue.pop()) {
      if (node.type === 'definition') this.definitions.set(node.identifier, node.url)
      else if (node.type === 'list' || node.type === 'listItem' || node.type === 'blockquote') {
        queue.push(...node.children)
      }
    }
    for (const node of nodes) this.block(node, { kind: 'paragraph', lead: '' })
  }

  addCode(raw: string, info: string, line: number, codeLine: number = line): void {
    const code = this.clean(raw)
    const first = info.trim().split(/\s/)[0]?.toLowerCase() ?? ''
    this.add({ kind: 'code', line, tokens: [], code, codeLine, info: first, lead: this.lead })
  }

  private block(node: RootContent, place: Place): void {
    const line = node.position?.start.line ?? 0
    if (node.type === 'html') this.html(node.value)
    else if (this.hiding.length > 0) this.skip()
    else if (node.type === 'heading') {
      const tokens = this.inline(node.children, false)
      while ((this.path.at(-1)?.depth ?? 0) >= node.depth) this.path.pop()
      this.add({ kind: 'heading', line, tokens })
      this.path.push({ depth: node.depth, text: plain(tokens) })
      this.lead = ''
    } else if (node.type === 'paragraph') {
      const tokens = this.inline(node.children, false)
      this.add({ kind: place.kind, line, tokens, lead: place.lead })
      this.lead = plain(tokens)
    } else if (node.type === 'code') {
      const end = node.position?.end.line ?? line
      const fenced = end - line >= node.value.split('\n').length
      this.addCode(node.value, node.lang ?? '', line, fenced ? line + 1 : line)
    } else if (node.type === 'table') this.table(node)
    else if (node.type === 'blockquote') {
      for (const child of node.children) this.block(asQuoted(child), place)
    } else if (node.type === 'list') {
      const lead = this.lead
      for (const item of node.children) {
        for (const child of item.children) this.block(child, { kind: 'item', lead })
      }
    }
  }

  private table(node: Table): void {
    const [head, ...rows] = node.children
    const columns = (head?.children ?? []).map((cell) =>
      plain(this.inline(cell.children, false)).toLowerCase(),
    )
    for (const row of rows) {
      const cells = row.children.map((cell) => this.inline(cell.children, false))
      const tokens = cells.flatMap((cell, index): Token[] =>
        index === 0 ? cell : [{ kind: 'text', text: ' — ', strong: false }, ...cell],
      )
      const line = row.position?.start.line ?? 0
      this.add({ kind: 'row', line, tokens, cells, columns, lead: this.lead })
    }
  }

  private inline(nodes: readonly PhrasingContent[], strong: boolean): Token[] {
    const tokens: Token[] = []
    for (const node of nodes) {
      if (node.type === 'html') {
        this.html(node.value)
        continue
      }
      if (this.hiding.length > 0) {
        this.skip()
        continue
      }
      if (node.type === 'text') tokens.push(...splitUrls(this.clean(node.value), strong))
      else if (node.type === 'inlineCode') {
        tokens.push({ kind: 'code', text: this.clean(node.value), strong })
      } else if (node.type === 'break') tokens.push({ kind: 'text', text: '\n', strong })
      else if (node.type === 'link' || node.type === 'linkReference') {
        const inner = this.inline(node.children, strong)
        const raw = node.type === 'link' ? node.url : this.definitions.get(node.identifier)
        const url = this.clean(raw ?? '').trim()
        if (isFollowable(url)) tokens.push({ kind: 'link', text: plain(inner), url, strong })
        else {
          if (/^\s*(?:javascript|data|vbscript|file)\s*:/i.test(url)) {
            this.warnings.add('A link that is no web address was ignored.')
          }
          tokens.push(...inner)
        }
      } else if (node.type === 'strong') tokens.push(...this.inline(node.children, true))
      else if (node.type === 'emphasis' || node.type === 'delete') {
        tokens.push(...this.inline(node.children, strong))
      }
    }
    return tokens
  }

  /** HTML is not read; what it hides is not read either, and said. */
  private html(value: string): void {
    if (value.includes('<!--')) this.skip('An HTML comment was dropped.')
    for (const [tag, slash, name] of value.matchAll(/<(\/?)([a-zA-Z][\w-]*)(?:[^<>]{0,2000})>/g)) {
      const element = (name ?? '').toLowerCase()
      if (slash) {
        const open = this.hiding.lastIndexOf(element)
        if (open >= 0) this.hiding.length = open
      } else if (hides(element, tag) && !tag.endsWith('/>') && this.hiding.length < 50) {
        this.hiding.push(element)
        this.skip()
      }
    }
  }

  private skip(warning = 'Hidden HTML was dropped.'): void {
    this.warnings.add(warning)
  }

  private clean(text: string): string {
    const cleaned = withoutHidden(text)
    if (cleaned !== text) this.skip('Hidden characters were dropped.')
    return cleaned
  }

  private add(part: Omit<Statement, 'headings' | 'clauses' | 'text' | 'section'>): void {
    const tokens = part.tokens.slice(0, maxTokens)
    const text = plain(tokens)
    if (text === '' && !part.code) return
    const headings = this.path.map((heading) => heading.text)
    this.statements.push({ ...part, tokens, headings, clauses: clausesOf(tokens), text })
  }
}

/** A heading inside a quotation heads nothing. */
function asQuoted(node: RootContent): RootContent {
  return node.type === 'heading' ? { ...node, type: 'paragraph' } : node
}

function hides(element: string, tag: string): boolean {
  if (['template', 'script', 'style', 'noscript', 'title'].includes(element)) return true
  if (/\shidden(?:[\s=>/]|$)/i.test(tag)) return true
  const style = tag.toLowerCase().replace(/\s+/g, '')
  return (
    /display:none|visibility:hidden|opacity:0(?![.\d])|font-size:0(?![.\d])/.test(style) ||
    /aria-hidden=["']?true/.test(style)
  )
}

/** Web addresses and paths; no other scheme is an address of a service. */
function isFollowable(url: string): boolean {
  return /^https?:\/\//i.test(url) || (url !== '' && !/^[a-z][a-z0-9+.-]*:/i.test(url))
}
