import { setTimeout as sleep } from 'node:timers/promises'
import { type ConsoleServer, serveConsole } from '@authmd/console/node'
import { AuthError } from '@authmd/core'
import { readAudit } from '@authmd/core/node'
import { exits } from '../exit.ts'
import type { AddCommand, Flags } from '../job.ts'
import type { Screen } from '../screen.ts'
import { line } from '../text.ts'
import type { World } from '../world.ts'
import { examples } from './options.ts'
import { listening, portOf } from './port.ts'

interface ServeFlags extends Flags {
  readonly port: string
}

const everyMs = 5_000

export const serve: AddCommand = (program, runs) => {
  const command = program
    .command('serve')
    .summary('serve the console, where a person approves, hands over and revokes')
    .description(
      'Serve, on this machine alone, the console: what waits for the person, their credentials, the history; and move on what is due. One-time sign-in links stand on the terminal, and Enter makes a new one. Ctrl-C ends it.',
    )
    .option('--port <number>', 'where to listen; 0 takes any free one', '0')
  examples(command, 'authmd serve --port 8420')
  runs<ServeFlags>(command, async ({ flags, screen, world, stopped }) => {
    const port = portOf(flags.port)
    const opened = await world()
    const { auth, audit, hear } = opened
    const history = audit === undefined ? {} : { history: () => readAudit(audit) }
    const server = await listening(port, serveConsole(auth, { port, ...history }))
    hear(server.onEvent)
    const ended = new AbortController()
    stopped().then(() => ended.abort())
    screen.note(`Listening at ${server.url}. Ctrl-C ends it.`)
    const links = linksOf(opened, server, screen)
    try {
      await links.show('Sign in by this link, once and within ten minutes; Enter makes a new one:')
      await watch(opened, links, screen, ended.signal)
    } finally {
      links.close()
      await server.close()
    }
    return { exit: exits.done, data: { url: server.url }, lines: ['Ended.'] }
  })
}

/**
 * Sign-in links of the person at this terminal. Whoever has one can sign in: it is for them, and stands in no log.
 */
function linksOf({ owner }: World, server: ConsoleServer, screen: Screen) {
  const person = { approver: owner.user ?? 'the person at the terminal', owners: [owner] }
  const link = async (about?: string) => (await server.link(person, about)).url
  const pressed = () => {
    link().then(
      (url) => screen.note(`  ${url}`),
      () => {},
    )
  }
  if (screen.asks) process.stdin.on('data', pressed)
  return {
    async show(text: string, about?: string): Promise<void> {
      if (screen.asks) screen.note(`${text}\n  ${await link(about)}`)
      else if (about === undefined) screen.note('Run this on a terminal for a sign-in link.')
      else screen.note(`${text}\n  ${about}`)
    },
    close(): void {
      process.stdin.off('data', pressed)
      process.stdin.pause()
    },
  }
}

/** Moves on what is due, and makes a link for each new thing that waits for the person. */
async function watch(
  { auth, owner }: World,
  links: ReturnType<typeof linksOf>,
  screen: Screen,
  signal: AbortSignal,
): Promise<void> {
  const shown = new Set<string>()
  async function look(): Promise<void> {
    await auth.tick()
    for (const one of await auth.people.waiting(owner)) {
      const what = one.kind === 'consent' ? one.action.summary : one.need.text
      const key = JSON.stringify([one.id, what])
      if (one.id === undefined || shown.has(key)) continue
      shown.add(key)
      await links.show(`\n${line(what, 600)}`, one.id)
    }
  }
  let trouble = ''
  while (!signal.aborted) {
    try {
      await look()
      trouble = ''
    } catch (error) {
      // A store that does not answer now may do so at the next turn, and nobody is signed out meanwhile.
      if (!AuthError.isInstance(error)) throw error
      const said = `${line(error.message, 600)}. It is tried again every ${everyMs / 1_000} seconds.`
      if (said !== trouble) screen.note(said, 'yellow')
      trouble = said
    }
    await sleep(everyMs, undefined, { signal }).catch(() => {})
  }
}
