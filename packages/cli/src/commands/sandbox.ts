import type { AuthMdVersion } from '@authmd/sandbox'
import { exits } from '../exit.ts'
import { type AddCommand, type Flags, UsageError } from '../job.ts'
import { columns } from '../text.ts'
import { examples } from './options.ts'
import { listening, portOf } from './port.ts'

interface SandboxFlags extends Flags {
  readonly port: string
  readonly authMd?: readonly AuthMdVersion[]
}

export const sandbox: AddCommand = (program, runs) => {
  const command = program
    .command('sandbox')
    .summary('run services to try it all at, on this machine')
    .description(
      'Run services that let agents in, on this machine. Nothing in them is real. Ctrl-C ends it.',
    )
    .option('--port <number>', 'where to listen; 0 takes any free one', '8787')
    .option('--auth-md <version...>', 'versions of auth.md to serve (v0.7 by default)')
  examples(command, 'authmd sandbox', 'authmd sandbox --port 0 --auth-md v0.4')
  runs<SandboxFlags>(command, async ({ flags, screen, stopped }) => {
    const port = portOf(flags.port)
    const { startSandbox } = await import('@authmd/sandbox')
    const [first = {}, ...rest] = (flags.authMd ?? []).map((version) => ({ version }))
    const starting = startSandbox({ port, authMd: [first, ...rest] }).catch((error: unknown) => {
      // What it was asked for is not there, or twice.
      throw error instanceof TypeError ? new UsageError(error.message) : error
    })
    const running = await listening(port, starting)
    const { urls, authMd } = running
    const all = {
      ...urls,
      ...Object.fromEntries(authMd.map((site) => [`auth.md ${site.version}`, site.api])),
    }
    screen.note('The sandbox is running:')
    for (const text of columns(Object.entries(all))) screen.note(text)
    screen.note('\nTry it, in another terminal:')
    screen.note(`  authmd discover --loopback ${urls.api}`)
    screen.note(`  authmd register --loopback ${urls.authMd}`)
    screen.note(`Mail comes to ${urls.mail}/messages?to=…\nCtrl-C ends it.`)
    await stopped()
    await running.close()
    return { exit: exits.done, data: { urls }, lines: ['Ended.'] }
  })
}
