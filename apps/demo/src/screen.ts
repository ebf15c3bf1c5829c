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

  said(who: 'person' | 'model', text: string): void {
    this.line(`\n${who === 'person' ? 'Person' : 'Model'}: ${text}`, 'bold')
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

  /** Two columns, the first as wide as its longest entry. */
  table(rows: readonly (readonly [string, string])[]): void {
    const width = Math.max(...rows.map(([name]) => name.length))
    this.line('')
    for (const [name, value] of rows) this.line(`${name.padEnd(width)}  ${value}`)
  }

  written(): string {
    return this.#all
  }
}
