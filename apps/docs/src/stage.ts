import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path/posix'

/** A page of the site: where its text lies in the repository, and where it lies in the site. */
export interface Page {
  readonly source: string
  readonly target: string
}

/** All of `docs`, the READMEs of packages that are published, and what GitHub looks for at the root. */
export function pagesOf(root: string): readonly Page[] {
  const docs = globSync('docs/**/*.md', { cwd: root }).sort()
  const readmes = globSync('packages/*/README.md', { cwd: root }).sort()
  return [
    ...docs.map((source) => ({ source, target: relative('docs', source) })),
    ...readmes.map((source) => ({ source, target: `packages/${basename(dirname(source))}.md` })),
    { source: 'CONTRIBUTING.md', target: 'contributing.md' },
    { source: 'SECURITY.md', target: 'security-policy.md' },
  ]
}

/**
 * Copies pages and their pictures into a folder, with links as they are there. A link to what is no page, such
 * as a test, becomes plain text: the site has no such file.
 *
 * @throws Error that names every link to a file or a heading that does not exist
 */
export function stage(root: string, pages: readonly Page[], folder: string): void {
  const targets = new Map(pages.map(({ source, target }) => [source, target]))
  const dead: string[] = []
  for (const { source, target } of pages) {
    const text = outsideFences(readFileSync(join(root, source), 'utf8'), (prose) =>
      prose.replace(
        /(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g,
        (link, picture, words, to) => {
          if (/^([a-z]+:|#)/.test(to)) return link
          const [path = '', ...anchor] = to.split('#')
          const file = join(dirname(source), path)
          const page = targets.get(file)
          if (!existsSync(join(root, file)) || !leads(root, page && file, anchor[0])) {
            dead.push(`${source}: ${to}`)
            return link
          }
          if (picture) {
            const copy = join(folder, dirname(target), path)
            mkdirSync(dirname(copy), { recursive: true })
            copyFileSync(join(root, file), copy)
            return `![${words}](./${path})`
          }
          if (page === undefined) return words
          return `[${words}](${[`./${relative(dirname(target), page)}`, ...anchor].join('#')})`
        },
      ),
    )
    const file = join(folder, target)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  if (dead.length > 0) throw new Error(`links that lead nowhere:\n${dead.join('\n')}`)
}

/** Whether a page has the heading that an anchor names, as GitHub and the site make them. */
function leads(root: string, page: string | undefined, anchor: string | undefined): boolean {
  if (page === undefined || anchor === undefined) return true
  const headings = readFileSync(join(root, page), 'utf8').matchAll(/^#+ (.*)$/gm)
  return [...headings].some(([, text = '']) => {
    const words = text.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '')
    return words.replaceAll(' ', '-') === anchor
  })
}

/** Changes a text, but for its fenced blocks. */
function outsideFences(text: string, change: (prose: string) => string): string {
  const parts = text.split(/(^```[\s\S]*?^```$)/m)
  return parts.map((part, at) => (at % 2 === 0 ? change(part) : part)).join('')
}
