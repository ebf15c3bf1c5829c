import { seeThrough } from '../drive.ts'
import { type AddCommand, type DriveFlags, UsageError } from '../job.ts'
import { resultOf } from '../words.ts'
import { asking, examples } from './options.ts'

interface RevokeFlags extends DriveFlags {
  readonly forget?: boolean
}

export const revoke: AddCommand = (program, runs) => {
  const command = asking(program.command('revoke <id>'))
    .summary('end a credential, or give a registration up')
    .description(
      'End a credential (cred_…) for good. It is out of use here at once; where the service has no request for it, a person deletes it there, and it is checked that it is refused. A registration (reg_…) is given up.',
    )
    .option(
      '--forget',
      'delete the secret here without ending it at the service, where it may still work',
    )
  examples(command, 'authmd revoke cred_…', 'authmd revoke reg_…')
  runs<RevokeFlags>(command, async ({ flags, drive, resume, screen }, id = '') => {
    if (flags.forget && !id.startsWith('cred_'))
      throw new UsageError('--forget is for a credential (cred_…)')
    const one = await drive()
    const { session, call } = one.world
    if (id.startsWith('reg_'))
      return resultOf(await screen.busy('Giving it up', () => session.cancel(id)))
    if (flags.forget)
      return resultOf(await screen.busy('Deleting it here', () => session.forget(id)))
    resume(`authmd revoke ${id}`)
    const run = () => session.revoke({ credential: id }, call)
    return resultOf(await seeThrough(one, run, 'Ending it'))
  })
}
