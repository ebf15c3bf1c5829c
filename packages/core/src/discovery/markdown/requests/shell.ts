/** A word of a command, with the line it starts in, counted from the command's first. */
export interface Word {
  readonly text: string
  readonly line: number
}

const maxCommand = 16_384

/**
 * The command that starts in a line of a block: on to the end of the line that closes its quotes and
 * does not go on with a backslash.
 */
export function commandAt(lines: readonly string[], from: number): { text: string; lines: number } {
  let text = ''
  let quote = ''
  let index = from
  for (; index < lines.length && text.length < maxCommand; index++) {
    const line = lines[index] ?? ''
    text += text === '' ? line : `\n${line}`
    let escaped = false
    for (const char of line) {
      if (escaped) escaped = false
      else if (char === '\\' && quote !== "'") escaped = true
      else if (quote === '' ? char === '"' || char === "'" : char === quote) {
        quote = quote === '' ? char : ''
      }
    }
    if (quote === '' && !escaped) break
  }
  return { text: text.slice(0, maxCommand), lines: index - from + 1 }
}

/** Words as a shell would split them; quotes are taken off, nothing is expanded. */
export function shellWords(command: string): Word[] {
  const words: Word[] = []
  let line = 0
  let at = 0
  const spaced = command.replace(/\\\n/g, ' \n')
  for (const match of spaced.matchAll(/(?:[^\s"'\\|]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+|\|/gs)) {
    line += lineBreaks(spaced.slice(at, match.index))
    at = match.index
    words.push({ text: unquoted(match[0]), line })
  }
  return words
}

function unquoted(word: string): string {
  return word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'/gs, (_, double?: string, single?: string) =>
    double === undefined ? (single ?? '') : double.replace(/\\(["\\$`])/g, '$1'),
  )
}

/** How many line breaks a text holds. */
export function lineBreaks(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1
  return count
}
