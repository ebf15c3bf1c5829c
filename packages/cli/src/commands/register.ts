import { seeThrough } from '../drive.ts'
import type { AddCommand, DriveFlags } from '../job.ts'
import { resultOf } from '../words.ts'
import { answering, examples } from './options.ts'

interface RegisterFlags extends DriveFlags {
  readonly method?: string
}

export const register: AddCommand = (program, runs) => {
  const command = answering(program.command('register <url>'))
    .summary('get a credential of a service')
    .description(
      'Get a credential of a service. A person is asked before anything is agreed to; what was begun and not finished goes on.',
    )
    .option('--method <name>', 'one of the ways that discover lists; the best one by default')
    .option('--email <address>', 'the address to register with')
  examples(
    command,
    'authmd register https://api.vendor.example --email agents@operator.example',
    'authmd register https://api.vendor.example --method manual',
  )
  runs<RegisterFlags>(command, async ({ flags, drive, resume }, url = '') => {
    const { method, email } = flags
    const options = [
      ...(method === undefined ? [] : ['--method', method]),
      ...(email === undefined ? [] : ['--email', email]),
    ]
    resume(['authmd register', url, ...options].join(' '))
    const one = await drive()
    const { session, call } = one.world
    const input = { service: url, method }
    const outcome = await seeThrough(one, () => session.register(input, call), 'Registering')
    return resultOf(outcome)
  })
}
