import type { AddCommand } from '../job.ts'
import { resultOf, tried } from '../words.ts'
import { examples } from './options.ts'

export const discover: AddCommand = (program, runs) => {
  const command = program
    .command('discover <url>')
    .summary('find out how a service lets agents in')
    .description(
      'Find out how a service lets agents in, why one way comes before another, and what was tried.',
    )
  examples(
    command,
    'authmd discover https://api.vendor.example',
    'authmd discover api.vendor.example --json',
  )
  runs(command, async ({ screen, world, resume }, url = '') => {
    resume(`authmd discover ${url}`)
    const { session, call } = await world()
    const outcome = await screen.busy('Asking the service', () =>
      session.discover({ service: url }, call),
    )
    const profile = await session.profile(url)
    const result = resultOf(outcome, { tried: profile?.tried ?? [] })
    const last = result.lines.findIndex((text) => text.startsWith('Next: '))
    const at = last < 0 ? result.lines.length : last
    const lines = result.lines.toSpliced(at, 0, ...tried(profile?.tried ?? []))
    return { ...result, lines }
  })
}
