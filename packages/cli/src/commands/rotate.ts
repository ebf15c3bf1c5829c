import { seeThrough } from '../drive.ts'
import type { AddCommand, DriveFlags } from '../job.ts'
import { resultOf } from '../words.ts'
import { answering, examples } from './options.ts'

export const rotate: AddCommand = (program, runs) => {
  const command = answering(program.command('rotate <credential>'))
    .summary('make a new credential, then end the old one')
    .description(
      'Make a new credential and see it work; the old one stays in use until then. What is left is to revoke the old one.',
    )
    .option('--email <address>', 'the address to register with')
  examples(command, 'authmd rotate cred_…')
  runs<DriveFlags>(command, async ({ drive, resume }, credential = '') => {
    resume(`authmd rotate ${credential}`)
    const one = await drive()
    const { session, call } = one.world
    const run = () => session.revoke({ credential, replace: true }, call)
    return resultOf(await seeThrough(one, run, 'Making a new one'))
  })
}
