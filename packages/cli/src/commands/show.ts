import { AuthError } from '@authmd/core'
import { yes } from '../drive.ts'
import { exits } from '../exit.ts'
import { type AddCommand, type Flags, UsageError } from '../job.ts'
import { reveal } from '../reveal.ts'
import type { Result } from '../screen.ts'
import { columns, line, time } from '../text.ts'
import { held, resultOf } from '../words.ts'
import type { World } from '../world.ts'
import { examples } from './options.ts'

interface ShowFlags extends Flags {
  readonly reveal?: boolean
}

export const show: AddCommand = (program, runs) => {
  const command = program
    .command('show <id>')
    .summary('show a credential, a registration or a question')
    .description(
      'Show all that is known of a credential (cred_…), a registration (reg_…) or a question to a person (cns_…).',
    )
    .option('--reveal', 'show the secret itself, after a question on the terminal')
  examples(command, 'authmd show cred_…', 'authmd show cred_… --reveal')
  runs<ShowFlags>(command, async ({ flags, screen, world }, id = '') => {
    if (flags.reveal) {
      if (screen.json) throw new UsageError('--reveal shows a secret to a person: not with --json')
      if (!id.startsWith('cred_')) throw new UsageError('--reveal is for a credential (cred_…)')
      if (!screen.asks) {
        return {
          exit: exits.person,
          data: {},
          lines: ['A secret is shown to a person at a terminal alone. This is none.'],
        }
      }
    }
    const opened = await world()
    if (!flags.reveal) return shown(opened, id)
    const { lines } = await shown(opened, id)
    for (const text of lines) screen.note(text)
    if (!(await yes('Show its secret on this screen? Whoever sees it can use it. (y/N) '))) {
      return { exit: exits.refused, data: {}, lines: ['Nothing was shown.'] }
    }
    return { exit: exits.done, data: {}, lines: [await reveal(opened, id)] }
  })
}

async function shown({ session, auth, owner, call, damaged }: World, id: string): Promise<Result> {
  if (id.startsWith('cred_')) {
    const credential = (await session.list()).find(({ handle }) => handle === id)
    const unread = damaged.find((one) => one.id === id)
    if (unread) throw new AuthError(unread.code, `${line(id, 80)} is there and cannot be read`)
    if (credential === undefined) throw unknown(id)
    const { issuedAt, lastUsedAt, audience, ...rest } = credential
    const facts = {
      ...rest,
      'may be sent under': audience.join(', '),
      since: time(issuedAt),
      'last used': lastUsedAt === undefined ? 'never' : time(lastUsedAt),
    }
    const rows = Object.entries(facts).map(([name, value]) => [name, line(`${value}`)])
    return { exit: exits.done, data: { credential }, lines: columns(rows, '') }
  }
  const waiting = (await auth.people.waiting(owner)).find((one) => one.id === id)
  if (waiting?.kind === 'consent') {
    const { action } = waiting
    const lines = [
      ...action.summary.split('\n').map((text) => line(text, 4_000)),
      `Next: "authmd serve" for a page; or the command that asked, again, on a terminal or with --approve ${action.digest}`,
    ]
    return { exit: exits.done, data: { action }, lines }
  }
  if (!id.startsWith('reg_')) throw unknown(id)
  const all = await session.discover({})
  const open = all.status === 'found' ? all.registrations.find((one) => one.id === id) : undefined
  // One that has ended says how; to look at it changes nothing.
  if (open === undefined) {
    const result = resultOf(await session.claim({ registration: id }, call))
    return { ...result, exit: exits.done }
  }
  const next = `authmd claim ${id}`
  const need = waiting === undefined ? [] : [`It waits for a person: ${line(waiting.need.text)}`]
  return {
    exit: exits.done,
    data: { registration: open, ...(waiting && { need: waiting.need }), next },
    lines: [...held([], [open]), ...need, `Next: ${next}`],
  }
}

function unknown(id: string): AuthError {
  return new AuthError('not_found', `nothing of this owner is called ${line(id, 80)}`)
}
