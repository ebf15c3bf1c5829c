import { readHidden } from '@authmd/core/node'
import { exits } from '../exit.ts'
import { type AddCommand, type Flags, UsageError } from '../job.ts'
import { readStandardInput } from '../standard-input.ts'
import { held } from '../words.ts'
import { collect, examples } from './options.ts'

interface ImportFlags extends Flags {
  readonly audience?: readonly string[]
  readonly header?: string
  readonly prefix?: string
  readonly basic?: string | true
  readonly query?: string
  readonly probe?: string
  readonly revocation?: string
}

export const importKey: AddCommand = (program, runs) => {
  const command = program
    .command('import <url>')
    .summary('put a key that you have into the vault')
    .description(
      'Put a key that you have into the vault. It is asked for without being shown, or read from standard input; it is never an argument.',
    )
    .option(
      '--audience <url>',
      'where it may be sent: this URL with all below it (the service itself by default); may come several times',
      collect,
    )
    .option('--header <name>', 'the header that carries it, instead of "Authorization: Bearer"')
    .option('--prefix <text>', 'what stands before it in that header')
    .option('--basic [user]', 'HTTP Basic: the key is the password of this user, or the user name')
    .option('--query <name>', 'a parameter of the query carries it')
    .option('--probe <url>', 'a harmless GET that needs it, to check that it was ended')
    .option('--revocation <url>', 'the page where a person deletes it')
  examples(
    command,
    'authmd import https://api.vendor.example --audience https://api.vendor.example/v1',
    'pass show vendor/key | authmd import https://api.vendor.example --header x-api-key',
  )
  runs<ImportFlags>(command, async ({ flags, screen, world, resume }, url = '') => {
    // As discover takes it.
    const service = /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `https://${url}`
    resume(`authmd import ${url}`)
    const { audience = [service], header, prefix, basic, query, probe, revocation } = flags
    if (prefix !== undefined && header === undefined) {
      throw new UsageError('--prefix is for --header')
    }
    // What is wrong with the arguments and the store is said before anybody looks for the key.
    const { session } = await world()
    const secret = screen.asks
      ? await readHidden('API key (it is not shown): ', process.stdin, process.stderr)
      : await readStandardInput('import')
    const credential = await session.import({
      service,
      secret,
      audience,
      ...(header === undefined ? {} : { header: { name: header, prefix: prefix ?? '' } }),
      ...(basic === undefined ? {} : { basic: basic === true ? {} : { user: basic } }),
      ...(query === undefined ? {} : { query }),
      ...(probe === undefined ? {} : { probe }),
      ...(revocation === undefined ? {} : { revocation }),
    })
    const next = `authmd use GET ${credential.audience[0]}/…`
    const lines = ['The key is in the vault.', ...held([credential], []), `Next: ${next}`]
    return { exit: exits.done, data: { credential, next }, lines }
  })
}
