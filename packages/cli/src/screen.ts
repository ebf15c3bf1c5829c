import { styleText } from 'node:util'
import { jsonLine } from './text.ts'

type Style = Parameters<typeof styleText>[0]

/** What a command has to say at its end. */
export interface Result {
  /** One of `exits`. */
  readonly exit: number
  /** For `--json`, beside the command's name and the exit code. */
  readonly data: Readonly<Record<string, unknown>>
  /** For people. */
  readonly lines: readonly string[]
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const clear = '\r\x1b[K'

/**
 * The one place that writes: results to standard output, all else to standard error. With `json` standard
 * output gets one JSON object and nothing besides.
 */
export class Screen {
  readonly json: boolean
  readonly #turning: boolean
  #stop: () => void = () => {}

  constructor(json: boolean) {
    this.json = json
    const { isTTY } = process.stderr
    this.#turning = isTTY === true && process.env.TERM !== 'dumb'
  }

  /** Whether a person can be asked: they see what is written, and what they type is read. */
  get asks(): boolean {
    return process.stdin.isTTY === true && process.stderr.isTTY === true
  }

  /** How wide standard output is, and whether it wants colours. */
  get page(): { readonly color: boolean; readonly columns?: number } {
    const { columns } = process.stdout
    return { color: this.styled('x', 'red') !== 'x', ...(columns === undefined ? {} : { columns }) }
  }

  /** Something on the way, for whoever watches. */
  note(text: string, style?: Style): void {
    this.#stop()
    process.stderr.write(`${this.styled(text, style, process.stderr)}\n`)
  }

  /** Says what is being done while it is done: a turning sign on a terminal, one line elsewhere. */
  async busy<T>(what: string, work: () => Promise<T>): Promise<T> {
    this.#stop()
    if (this.#turning) this.#turn(what)
    else process.stderr.write(`${what} …\n`)
    try {
      return await work()
    } finally {
      this.#stop()
    }
  }

  #turn(what: string): void {
    let at = 0
    const draw = () => {
      process.stderr.write(`${clear}${frames[at++ % frames.length]} ${what} …`)
    }
    draw()
    const timer = setInterval(draw, 100)
    this.#stop = () => {
      clearInterval(timer)
      process.stderr.write(clear)
      this.#stop = () => {}
    }
  }

  /** The end of a command. */
  end(command: string, { exit, data, lines }: Result): void {
    this.#stop()
    if (this.json) process.stdout.write(`${jsonLine({ command, exit, ...data })}\n`)
    else if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`)
  }

  /** The end by a fault: on standard error, and as the JSON object where one is promised. */
  fault(
    command: string,
    exit: number,
    error: { readonly code: string; readonly message: string },
    more: readonly string[] = [],
    data: Readonly<Record<string, unknown>> = {},
  ): void {
    this.note(error.message, 'red')
    for (const text of more) this.note(text)
    if (this.json) this.end(command, { exit, data: { error, ...data }, lines: [] })
  }

  /** Coloured where the stream is a terminal that wants it: `NO_COLOR`, `FORCE_COLOR` and `TERM` are obeyed. */
  styled(
    text: string,
    style: Style | undefined,
    stream: NodeJS.WriteStream = process.stdout,
  ): string {
    return style === undefined ? text : styleText(style, text, { stream })
  }
}
