import { exits } from '../exit.ts'
import type { AddCommand } from '../job.ts'
import { lossy } from '../words.ts'
import { examples } from './options.ts'

export const tick: AddCommand = (program, runs) => {
  const command = program
    .command('tick')
    .summary('move on every registration that is due')
    .description(
      'Move on every registration of the store that is due, once: waits that are over, answers that were lost. For a cron; several may run at once.',
    )
  examples(command, '*/1 * * * * authmd tick')
  runs(command, async ({ screen, world }) => {
    const { auth, damaged } = await world()
    const report = await screen.busy('Moving on what is due', () => auth.tick())
    const { advanced, failed } = report
    const moved = advanced === 1 ? 'One registration was' : `${advanced || 'No'} registrations were`
    const lines = [
      `${moved} moved on.`,
      ...failed.map(
        ({ registration, code }) =>
          `${registration} failed: ${code}. Next: authmd claim ${registration}`,
      ),
    ]
    const exit = failed.length === 0 ? exits.done : exits.fault
    return lossy({ exit, data: { ...report }, lines }, damaged)
  })
}
