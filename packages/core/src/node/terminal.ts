import { createInterface } from 'node:readline'
import { AuthError } from '../errors.ts'

/** What is read from: `process.stdin`, or another terminal. */
export interface TerminalInput extends NodeJS.ReadableStream {
  readonly isTTY?: boolean
  setRawMode?(raw: boolean): unknown
}

const pasteStart = '\x1b[200~'
const pasteEnd = '\x1b[201~'
/** Asks the terminal to put a paste between those two, so that the line ends in it are no Enter. */
const markPastes = '\x1b[?2004h'
const leavePastes = '\x1b[?2004l'

/**
 * Reads one line from a terminal without showing it. What a paste holds after a line end belongs to
 * the answer, or is dropped where the terminal does not mark pastes: nothing of it reaches the shell.
 *
 * @throws AuthError `invalid_input` without a terminal, `aborted` for Ctrl-C, Ctrl-D and the end of input
 */
export async function readHidden(
  question: string,
  input: TerminalInput,
  output: NodeJS.WritableStream,
): Promise<string> {
  if (input.isTTY !== true || input.setRawMode === undefined) {
    throw new AuthError('invalid_input', 'what is handed over is typed at a terminal')
  }
  input.setRawMode(true)
  // Asked only now: what is typed ahead of the question would be shown.
  output.write(markPastes + question)
  try {
    return await new Promise<string>((resolve, reject) => {
      const keys = new Keys()
      const done = (act: () => void) => {
        input.off('data', onData).off('end', onEnd)
        input.pause()
        act()
      }
      const onEnd = () => done(() => reject(aborted()))
      const onData = (chunk: Buffer | string) => {
        const state = keys.take(String(chunk))
        if (state === 'more') return
        done(() => (state === 'stop' ? reject(aborted()) : resolve(keys.text)))
      }
      input.on('data', onData).on('end', onEnd)
      input.resume()
    })
  } finally {
    input.setRawMode(false)
    output.write(`${leavePastes}\n`)
  }
}

/**
 * Reads one line, which is shown while it is typed.
 *
 * @throws AuthError `aborted` for Ctrl-C, Ctrl-D and the end of input
 */
export function readLine(
  question: string,
  input: TerminalInput,
  output: NodeJS.WritableStream,
): Promise<string> {
  const reader = createInterface({ input, output, terminal: input.isTTY === true })
  return new Promise((resolve, reject) => {
    reader.once('close', () => reject(aborted()))
    reader.question(question, (line) => {
      resolve(line)
      reader.close()
    })
  })
}

/** What was typed and pasted so far. */
class Keys {
  text = ''
  #pasting = false
  #rest = ''

  take(chunk: string): 'more' | 'end' | 'stop' {
    let keys = this.#rest + chunk
    this.#rest = ''
    while (keys !== '') {
      if (keys.startsWith(pasteStart)) {
        this.#pasting = true
        keys = keys.slice(pasteStart.length)
      } else if (keys.startsWith(pasteEnd)) {
        this.#pasting = false
        keys = keys.slice(pasteEnd.length)
      } else if (keys.startsWith('\x1b')) {
        // An arrow or another key that types nothing; its end may come with the next chunk.
        // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape is what is looked for.
        const sequence = /^\x1b(?:\[[0-9;?]*[@-~]|O[@-~]|[^[O])/.exec(keys)?.[0]
        if (sequence === undefined) {
          this.#rest = keys.slice(0, 64)
          return 'more'
        }
        keys = keys.slice(sequence.length)
      } else {
        const [key = ''] = keys
        keys = keys.slice(key.length)
        const state = this.#key(key)
        if (state !== 'more') return state
      }
    }
    return 'more'
  }

  #key(key: string): 'more' | 'end' | 'stop' {
    if (!this.#pasting) {
      if (key === '\r' || key === '\n') return 'end'
      if (key === '\x03' || key === '\x04') return 'stop'
      if (key === '\x7f' || key === '\b') this.text = this.text.slice(0, -1)
      if (key === '\x15') this.text = ''
    }
    if (key >= ' ' && key !== '\x7f') this.text += key
    else if (this.#pasting) this.text += '\n'
    return 'more'
  }
}

function aborted(): AuthError {
  return new AuthError('aborted', 'nothing was handed over')
}
