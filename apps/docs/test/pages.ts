import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root: string = join(import.meta.dirname, '../../..')

/** A fenced block of a page. */
export interface Block {
  readonly language: string
  /** How a block is called that others import, or that a reader runs: its first line is `// name.ts`. */
  readonly name: string | undefined
  readonly text: string
}

/** Every README, and every page of `docs`. */
export const pages: readonly string[] = globSync(
  ['README.md', 'bench/README.md', '{apps,packages}/*/README.md', 'docs/**/*.md'],
  { cwd: root },
).sort()

export function read(page: string): string {
  return readFileSync(join(root, page), 'utf8')
}

export function blocksOf(page: string): readonly Block[] {
  return [...read(page).matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', text = '']) => ({
      language,
      name: /^\/\/ ([\w-]+\.m?ts)$/m.exec(text.split('\n', 1)[0] ?? '')?.[1],
      text,
    }),
  )
}
