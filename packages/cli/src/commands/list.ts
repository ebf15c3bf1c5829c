import type { PersonRequest } from '@authmd/core'
import { exits } from '../exit.ts'
import type { AddCommand } from '../job.ts'
import { line } from '../text.ts'
import { held, lossy } from '../words.ts'
import { examples } from './options.ts'

export const list: AddCommand = (program, runs) => {
  const command = program
    .command('list')
    .summary('list what is held, and what waits')
    .description(
      'List the credentials of this owner, the registrations under way, and what waits for a person.',
    )
  examples(command, 'authmd list', "authmd list --json | jq -r '.credentials[].handle'")
  runs(command, async ({ world }) => {
    const { session, auth, owner, damaged } = await world()
    const credentials = await session.list()
    const all = await session.discover({})
    const registrations = all.status === 'found' ? all.registrations : []
    const waiting = await auth.people.waiting(owner)
    const none = credentials.length + registrations.length + waiting.length === 0
    const data = { owner, credentials, registrations, waiting }
    const lines = [...held(credentials, registrations), ...waitingLines(waiting)]
    if (damaged.length > 0) return lossy({ exit: exits.done, data, lines }, damaged)
    const nothing = ['Nothing is held and nothing waits.', 'Next: authmd discover URL']
    return { exit: exits.done, data, lines: none ? nothing : lines }
  })
}

/** What waits for a person, one line each. */
function waitingLines(waiting: readonly PersonRequest[]): readonly string[] {
  if (waiting.length === 0) return []
  return [
    'Waiting for a person:',
    ...waiting.map((one) => {
      const what = one.kind === 'consent' ? `agree: ${one.action.summary}` : one.need.text
      return `  ${one.id ?? ''}  ${line(what, 300)}`
    }),
  ]
}
