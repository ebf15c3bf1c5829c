import { renderUnicodeCompact } from 'uqr'
import { z } from 'zod'
import type { AgentAuth } from '../agent-auth.ts'
import { AuthError } from '../errors.ts'
import type { Outcome, PersonNeed } from '../outcome.ts'
import type { PersonDecision, PersonRequest } from '../people/people.ts'
import { ownLine } from '../tools/service-text.ts'
import { readHidden, readLine, type TerminalInput } from './terminal.ts'

/** What is asked: a request of `onPersonNeeded`, or the like of an outcome `needs_person`. */
export type PersonPrompt = Pick<
  Extract<PersonRequest, { kind: 'need' }>,
  'service' | 'need' | 'notice'
> & {
  /** The registration. */
  readonly id: string
}

/** Where it is asked; the terminal of this process by default, with the words on standard error. */
export interface PromptStreams {
  readonly input?: TerminalInput
  readonly output?: TerminalOutput
}

type TerminalOutput = NodeJS.WritableStream & {
  readonly isTTY?: boolean
  /** Characters in a line. */
  readonly columns?: number
  /** Of a terminal that wants no colours: `NO_COLOR`, `TERM=dumb`. */
  hasColors?(): boolean
}

/**
 * Asks the person at the terminal for what a registration waits for, and hands it over. A key and a link
 * are not shown while they are typed or pasted. Asks again until it is taken; Ctrl-C ends it. On a terminal
 * that is wide enough a page to open is shown as a QR code as well.
 *
 * @returns what came of it; nothing where the registration waits for it no more, since it was done elsewhere
 * @throws AuthError `aborted` where the person gives up, `invalid_input` without a terminal
 * @example
 * ```ts
 * onPersonNeeded: (request) => {
 *   if (request.kind === 'need' && request.id) return void promptPerson(auth, { ...request, id: request.id })
 * }
 * ```
 */
export async function promptPerson(
  auth: Pick<AgentAuth, 'people'>,
  { id, service, need, notice }: PersonPrompt,
  { input = process.stdin, output = process.stderr }: PromptStreams = {},
): Promise<Outcome | undefined> {
  const say = (text: string) => output.write(`${ownLine(text)}\n`)
  if (service !== undefined) say(`For ${service}:`)
  if (notice !== undefined) say(notice)
  showNeed(need, output)
  for (let shown = need; ; ) {
    const said = await ask(need, input, output)
    try {
      const outcome = await handOver(auth, id, said, async (why) => {
        say(`Not taken: ${why}.`)
        return /^y(es)?$/i.test(await readLine('Use it all the same? (y/N) ', input, output))
      })
      const again = outcome.status === 'needs_person' && outcome.need.kind === need.kind
      if (!again) return outcome
      const unseen = 'done' in said ? 'The service has not seen it yet.' : 'It was not taken.'
      say(outcome.notice ?? `${unseen} Once more, please.`)
      // Another code, or another page for it.
      if (JSON.stringify(outcome.need) !== JSON.stringify(shown)) showNeed(outcome.need, output)
      shown = outcome.need
    } catch (error) {
      if (!AuthError.isInstance(error)) throw error
      if (error.details.moved === true) {
        say('It was done elsewhere meanwhile. Nothing was handed over here.')
        return undefined
      }
      if (error.code !== 'secret_refused' && !isMalformed(said)) throw error
      if (error.details.doubt === true) continue
      say(`Not taken: ${isMalformed(said) ? 'that is not of the form asked for' : error.message}.`)
    }
  }
}

/** What only looks wrong is handed over again where the person insists. */
async function handOver(
  { people }: Pick<AgentAuth, 'people'>,
  id: string,
  said: PersonDecision,
  insists: (why: string) => Promise<boolean>,
): Promise<Outcome> {
  const by = { approver: 'terminal' }
  try {
    return (await people.answer(id, said, by)) as Outcome
  } catch (error) {
    const doubt = AuthError.isInstance(error) && error.details.doubt === true
    if (!doubt || !('secret' in said) || !(await insists(error.message))) throw error
    return (await people.answer(id, { ...said, insist: true }, by)) as Outcome
  }
}

/**
 * Tells the person what is needed, with its page as a QR code as well. For a need at which nothing is handed
 * over, as when a key is to be deleted; where something is, {@link promptPerson} shows and asks.
 */
export function showNeed(need: PersonNeed, output: TerminalOutput = process.stderr): void {
  const say = (text: string) => output.write(`${ownLine(text)}\n`)
  const { kind, text, url, code, until } = need
  say(text)
  if (url !== undefined) {
    say(`Page: ${url}`)
    // That of a mail or an address is told for another reason than to be opened now.
    if (kind !== 'open-mail' && kind !== 'give-email') output.write(qrCode(url, output))
  }
  if (code !== undefined) say(`Code to type there: ${code}`)
  if (until !== undefined) say(`Good until ${new Date(until).toISOString()}.`)
}

/** An address for a phone's camera: light on dark, whatever colours the terminal has, unless it wants none set. */
function qrCode(url: string, output: TerminalOutput): string {
  const { isTTY, columns = 0 } = output
  // What the line above cannot show whole is not put before a camera; it would be too wide as well.
  if (!isTTY || ownLine(url) !== url) return ''
  const lines = renderUnicodeCompact(url, { border: 2 }).split('\n')
  if (lines.some((line) => line.length > columns)) return ''
  if (output.hasColors?.() === false) return `${lines.join('\n')}\n`
  return lines.map((line) => `\x1b[97;40m${line}\x1b[0m\n`).join('')
}

/** Whether it cannot be what is asked for, whatever is waited for. */
function isMalformed(said: PersonDecision): boolean {
  if ('email' in said) return !z.email().max(254).safeParse(said.email).success
  return [
    'secret' in said && said.secret,
    'link' in said && said.link,
    'code' in said && said.code,
  ].includes('')
}

async function ask(
  { kind, beside = [] }: PersonNeed,
  input: TerminalInput,
  output: NodeJS.WritableStream,
): Promise<Exclude<PersonDecision, { approve: boolean }>> {
  switch (kind) {
    case 'paste-key': {
      const secret = await readHidden('API key (it is not shown): ', input, output)
      const more: Record<string, string> = {}
      for (const { name, label, secret: hidden } of beside) {
        more[name] = hidden
          ? await readHidden(`Its ${ownLine(label)} (it is not shown): `, input, output)
          : await readLine(`Its ${ownLine(label)}: `, input, output)
      }
      return beside.length === 0 ? { secret } : { secret, beside: more }
    }
    case 'open-mail': {
      const link = await readHidden('Address of the link (it is not shown): ', input, output)
      return { link: link.trim() }
    }
    case 'give-email':
      return { email: (await readLine('Mail address: ', input, output)).trim() }
    case 'read-code':
      return { code: (await readLine('Code from the page: ', input, output)).trim() }
    case 'enter-code':
    case 'open-link':
      await readLine('Press Enter when it is done. ', input, output)
      return { done: true }
  }
}
