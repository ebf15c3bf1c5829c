import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Prints what a person wants to see of a run, and keeps all that was printed. */
export class Screen {
  readonly #out: NodeJS.WriteStream
  #all = ''

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
  }

  line(text: string, style?: Style): void {
    this.#all += `${text}\n`
    const styled = style === undefined ? text : styleText(style, text, { stream: this.#out })
    this.#out.write(`${styled}\n`)
  }

  said(who: 'person' | 'model' | 'agent', text: string): void {
    this.line(`\n${who.replace(/^./, (first) => first.toUpperCase())}: ${text}`, 'bold')
  }

  toolCall(name: string, input: unknown): void {
    this.line(`\n→ ${name} ${JSON.stringify(input)}`, 'cyan')
  }

  modelReads(text: string): void {
    const lines = text
      .split('\n')
      .map((line) => (line.length > 400 ? `${line.slice(0, 400)} …` : line))
    for (const line of lines) this.line(`  │ ${line}`, 'gray')
  }

  asks(summary: string): void {
    this.line('\n? A person is asked to agree:', 'yellow')
    for (const line of summary.split('\n')) this.line(`    ${line}`, 'yellow')
  }

  decided(approved: boolean): void {
    this.line(approved ? '  agreed' : '  refused', approved ? 'green' : 'red')
  }

  /** Columns, each as wide as its longest entry. */
  table(rows: readonly (readonly string[])[]): void {
    const widths = (rows[0] ?? []).map((_, at) =>
      Math.max(...rows.map((row) => row[at]?.length ?? 0)),
    )
    this.line('')
    for (const row of rows) {
      this.line(
        row
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd(),
      )
    }
  }

  written(): string {
    return this.#all
  }
}
