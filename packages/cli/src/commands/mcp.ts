import { type IntakeServer, serveIntake } from '@authmd/core/node'
import { exits } from '../exit.ts'
import { type AddCommand, UsageError } from '../job.ts'
import { loginName } from '../settings.ts'
import { examples } from './options.ts'

export const mcp: AddCommand = (program, runs) => {
  const command = program
    .command('mcp')
    .summary('serve the five tools to an MCP client')
    .description(
      'Serve the five tools over standard input and output, for an MCP client that starts this program. The client asks its person; keys, links and codes are handed over on a page of this machine.',
    )
  examples(command, 'claude mcp add authmd -- authmd mcp')
  runs(command, async ({ screen, world, stopped }) => {
    if (screen.json) throw new UsageError('standard output belongs to the protocol: no --json')
    // Half of the program's start otherwise, for the other commands too.
    const { serveStdio } = await import('@authmd/mcp')
    const { auth, owner } = await world()
    let intake: Promise<IntakeServer> | undefined
    const intakeUrl = async (registration: string) => {
      intake ??= serveIntake(auth)
      return (await (await intake).link(registration)).url
    }
    const approver = `${loginName()} via mcp`
    const server = await serveStdio(auth, { owner, approver, intakeUrl })
    const closed = new Promise<void>((resolve) => {
      server.server.onclose = resolve
    })
    await Promise.race([closed, stopped()])
    await server.close()
    await (await intake)?.close()
    return { exit: exits.done, data: {}, lines: [] }
  })
}
