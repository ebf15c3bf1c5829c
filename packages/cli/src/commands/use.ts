import { readFileSync } from 'node:fs'
import type { UseInput } from '@authmd/core'
import { seeThrough } from '../drive.ts'
import { type AddCommand, type DriveFlags, UsageError } from '../job.ts'
import { readStandardInput } from '../standard-input.ts'
import { line, words } from '../text.ts'
import { resultOf } from '../words.ts'
import { asking, collect, examples } from './options.ts'

interface UseFlags extends DriveFlags {
  readonly credential?: string
  readonly header?: readonly string[]
  readonly data?: string
}

export const use: AddCommand = (program, runs) => {
  const command = asking(program.command('use <method> <url>'))
    .summary('send one request with the credential')
    .description(
      'Send one request to a service; its credential is added on the way. A person is asked before any request but GET and HEAD. The body of the answer is on standard output, without secrets.',
    )
    .option('--data <json>', 'body as JSON; @FILE reads a file, - what is piped in')
    .option('--header <line>', '"name: value", of a short list; may come several times', collect)
    .option('--credential <handle>', 'which credential, where a service has several')
  examples(
    command,
    'authmd use GET https://api.vendor.example/v1/things?limit=5',
    `authmd use POST https://api.vendor.example/v1/things --data '{"name":"one"}'`,
  )
  runs<UseFlags>(command, async ({ flags, drive, screen, resume }, method = '', url = '') => {
    resume(`authmd use ${method} ${url}${flags.data === undefined ? '' : ' --data …'}`)
    const input = await inputOf(method, url, flags)
    const one = await drive()
    const { session, call } = one.world
    const outcome = await seeThrough(one, () => session.use(input, call), 'Sending the request')
    if (outcome.status === 'answered' && !screen.json) {
      const { status, headers, redacted, captured, truncated } = outcome.answer
      screen.note(`HTTP ${status}`, status < 400 ? 'green' : 'red')
      for (const [name, value] of Object.entries(headers))
        screen.note(`${line(name, 60)}: ${words(value)}`)
      if (redacted > 0) {
        screen.note(`"[secret held by the vault]" stands for a secret, in ${redacted} place(s).`)
      }
      for (const handle of captured)
        screen.note(`A new credential in the answer is held as ${handle}.`)
      if (truncated) screen.note('The body was longer and is cut: ask for less.', 'yellow')
      // The body alone, for whatever reads it.
      const { lines, ...rest } = resultOf(outcome)
      return { ...rest, lines: lines.filter((text) => !text.startsWith('Next: ')) }
    }
    return resultOf(outcome)
  })
}

async function inputOf(method: string, url: string, flags: UseFlags): Promise<UseInput> {
  // Taken apart as it was written: a parser would resolve dots before core can see them.
  const [, scheme = 'https://', host, path = '', query = ''] =
    /^(https?:\/\/)?([^/?#\s]+)(\/[^?#]*)?(\?[^#]*)?(?:#.*)?$/i.exec(url) ?? []
  if (host === undefined || host.includes('@')) {
    throw new UsageError('the URL of a request is http(s)://host/path, without a user name')
  }
  const json = flags.data === undefined ? {} : { json: await bodyOf(flags.data) }
  const headers = flags.header === undefined ? {} : { headers: headersOf(flags.header) }
  const which = flags.credential === undefined ? {} : { credential: flags.credential }
  const service = `${scheme}${host}`
  return {
    service,
    method: method.toUpperCase(),
    path: `${path || '/'}${query}`,
    ...json,
    ...headers,
    ...which,
  }
}

function headersOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((one) => {
      const at = one.indexOf(':')
      if (at < 1) throw new UsageError('a header is written "name: value"')
      return [one.slice(0, at).trim(), one.slice(at + 1).trim()]
    }),
  )
}

async function bodyOf(data: string): Promise<unknown> {
  let text = data
  if (data === '-') text = await readStandardInput('--data -')
  else if (data.startsWith('@')) {
    try {
      text = readFileSync(data.slice(1), 'utf8')
    } catch (error) {
      throw new UsageError(
        `the file of --data cannot be read (${(error as NodeJS.ErrnoException).code})`,
      )
    }
  }
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError('--data is no JSON')
  }
}
