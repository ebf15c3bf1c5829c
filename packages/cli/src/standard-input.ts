import { UsageError } from './job.ts'

const maxBytes = 256 * 1024

/**
 * What is piped in, without line ends around it.
 *
 * @throws UsageError where standard input is a terminal, empty or too long
 */
export async function readStandardInput(what: string): Promise<string> {
  if (process.stdin.isTTY) throw new UsageError(`${what} reads what is piped in, not the terminal`)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin) {
    size += (chunk as Buffer).length
    if (size > maxBytes) throw new UsageError('what is piped in is too long')
    chunks.push(chunk as Buffer)
  }
  const text = Buffer.concat(chunks).toString('utf8').trim()
  if (text === '') throw new UsageError(`nothing came on standard input`)
  return text
}
