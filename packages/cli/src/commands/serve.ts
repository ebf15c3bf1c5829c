import { setTimeout as sleep } from 'node:timers/promises'
import { type IntakeServer, serveIntake } from '@authmd/core/node'
import { exits } from '../exit.ts'
import type { AddCommand, Flags } from '../job.ts'
import type { Screen } from '../screen.ts'
import { line } from '../text.ts'
import type { World } from '../world.ts'
import { examples } from './options.ts'
import { portOf } from './port.ts'

interface ServeFlags extends Flags {
  readonly port: string
}

const everyMs = 5_000

export const serve: AddCommand = (program, runs) => {
  const command = program
    .command('serve')
    .summary('serve the page where a person approves and hands over')
    .description(
      'Serve, on this machine alone, the page where a person approves an action or hands over what is waited for; and move on what is due. One-time links stand on the terminal. Ctrl-C ends it.',
    )
    .option('--port <number>', 'where to listen; 0 takes any free one', '0')
  examples(command, 'authmd serve --port 8420')
  runs<ServeFlags>(command, async ({ flags, screen, world, stopped }) => {
    const port = portOf(flags.port)
    const opened = await world()
    // The console takes the place of this page: it is to be served here, over the same `auth`.
    const intake = await serveIntake(opened.auth, { port })
    const ended = new AbortController()
    stopped().then(() => ended.abort())
    screen.note(`Listening at ${intake.url}. Ctrl-C ends it.`)
    try {
      await watch(opened, intake, screen, ended.signal)
    } finally {
      await intake.close()
    }
    return { exit: exits.done, data: { url: intake.url }, lines: ['Ended.'] }
  })
}

/** Moves on what is due, and makes a link for each new thing that waits for the person. */
async function watch(
  { auth, owner }: World,
  intake: IntakeServer,
  screen: Screen,
  signal: AbortSignal,
): Promise<void> {
  const shown = new Set<string>()
  while (!signal.aborted) {
    await auth.tick()
    for (const one of await auth.people.waiting(owner)) {
      const what = one.kind === 'consent' ? one.action.summary : one.need.text
      const key = JSON.stringify([one.id, what])
      if (one.id === undefined || shown.has(key)) continue
      shown.add(key)
      screen.note(`\n${line(what, 600)}`)
      // Whoever has the link can answer: it is for the person at this terminal, and stands in no log.
      screen.note(
        screen.asks
          ? `  ${(await intake.link(one.id)).url}`
          : `  ${one.id}: run this on a terminal for the link`,
      )
    }
    await sleep(everyMs, undefined, { signal }).catch(() => {})
  }
}
