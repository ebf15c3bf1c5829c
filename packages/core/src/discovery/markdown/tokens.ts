/** A piece of a line: plain text, inline code, or an address. */
export type Token =
  | { readonly kind: 'text'; readonly text: string; readonly strong: boolean }
  | { readonly kind: 'code'; readonly text: string; readonly strong: boolean }
  | {
      readonly kind: 'link'
      /** What is shown. */
      readonly text: string
      readonly url: string
      readonly strong: boolean
    }

/** A sentence or a part of one that a semicolon ends: the reach of a "not". */
export interface Clause {
  readonly tokens: readonly Token[]
  readonly text: string
}

/** The text of tokens as a reader sees it. */
export function plain(tokens: readonly Token[]): string {
  return tokens
    .map((token) => token.text)
    .join('')
    .replace(/\s+/g, ' ')
    .trim()
}

/** The words before a token; an address among them is one sign, whatever dots it holds. */
export function wordsBefore(tokens: readonly Token[], index: number): string {
  return masked(tokens.slice(Math.max(0, index - 12), index)).slice(-160)
}

/** The words behind a token, likewise. */
export function wordsAfter(tokens: readonly Token[], index: number): string {
  return masked(tokens.slice(index + 1, index + 12)).slice(0, 160)
}

/** What tokens say, with a sign for each address and each code that is no word. */
export function masked(tokens: readonly Token[]): string {
  const isWord = ({ kind, text }: Token) => kind === 'text' || /^[\w -]+$/.test(text)
  return tokens
    .map((token) => (isWord(token) ? token.text : '□'))
    .join('')
    .replace(/\s+/g, ' ')
}

/** Splits bare `http(s)://` addresses off a piece of text. */
export function splitUrls(text: string, strong: boolean): Token[] {
  const tokens: Token[] = []
  let from = 0
  for (const match of text.matchAll(/https?:\/\/[^\s<>"'`|]+/gi)) {
    const url = trimUrl(match[0])
    if (!/^https?:\/\/./i.test(url)) continue
    if (match.index > from)
      tokens.push({ kind: 'text', text: text.slice(from, match.index), strong })
    tokens.push({ kind: 'link', text: url, url, strong })
    from = match.index + url.length
  }
  if (from < text.length) tokens.push({ kind: 'text', text: text.slice(from), strong })
  return tokens
}

/** Without the punctuation of the sentence around it. */
function trimUrl(url: string): string {
  let end = url.length
  while (end > 0) {
    const char = url[end - 1] as string
    const open = char === ')' ? '(' : char === ']' ? '[' : char === '}' ? '{' : ''
    const unpaired = open !== '' && !url.slice(0, end).includes(open)
    if (!'.,;:!?*_'.includes(char) && !unpaired) break
    end -= 1
  }
  return url.slice(0, end)
}

/** Splits tokens into clauses: behind `.`, `;`, `!`, `?` that a blank follows, in plain text only. */
export function clausesOf(tokens: readonly Token[]): Clause[] {
  const clauses: Token[][] = [[]]
  for (const token of tokens) {
    if (token.kind !== 'text') {
      clauses.at(-1)?.push(token)
      continue
    }
    let from = 0
    for (const match of token.text.matchAll(/[.;!?]["')\]]*(?=\s|$)/g)) {
      const end = match.index + match[0].length
      if (isAbbreviation(token.text.slice(from, end))) continue
      clauses.at(-1)?.push({ ...token, text: token.text.slice(from, end) })
      clauses.push([])
      from = end
    }
    if (from < token.text.length) clauses.at(-1)?.push({ ...token, text: token.text.slice(from) })
  }
  return clauses
    .map((parts) => ({ tokens: parts, text: plain(parts) }))
    .filter(({ text }) => text !== '')
}

function isAbbreviation(text: string): boolean {
  return /(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|no|\d+)\.$/i.test(text)
}
