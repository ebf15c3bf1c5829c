import { AuthError } from '@authmd/core'
import { Command, CommanderError } from 'commander'
import manifest from '../package.json' with { type: 'json' }
import { commands } from './commands/index.ts'
import { gaveUp } from './drive.ts'
import { exits } from './exit.ts'
import { type Handler, type Job, jobOf, type Runs, UsageError } from './job.ts'
import { type Result, Screen } from './screen.ts'
import type { Flags } from './settings.ts'
import { line } from './text.ts'

const about =
  'An agent gets, uses and gives up credentials of services where it has no account. Keys stay in an ' +
  'encrypted vault; what binds a person happens only after that person has agreed to exactly that.'

const more = `
Settings come from the options above, else from AUTHMD_TENANT, AUTHMD_USER, AUTHMD_AGENT, AUTHMD_EMAIL,
AUTHMD_STORE (a directory, postgres://… or redis://…), AUTHMD_POLICY and AUTHMD_LOOPBACK=1, else from the
config. The key of the vault is AUTHMD_KEY, the file AUTHMD_KEY_FILE, or the keyring of the desktop.

Exit codes: 0 done, 1 fault, 2 usage, 3 refused, 4 a person is needed, 5 pending, 6 in doubt,
7 a puzzle is to be answered, 8 the doctor found something, 130 stopped.

Examples:
  $ authmd discover https://api.vendor.example
  $ authmd register https://api.vendor.example --email agents@operator.example
  $ authmd use GET https://api.vendor.example/v1/things
  $ authmd revoke cred_…`

/** One run of the program: reads the arguments, runs the command and gives the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const screen = new Screen(args.includes('--json'))
  let name = 'authmd'
  let exit: number = exits.done
  const runs: Runs = (command, handler) =>
    command.action(async () => {
      name = command.name()
      exit = await runCommand(command, handler as Handler<Flags>, screen)
    })
  try {
    await programOf(runs).parseAsync(bound(args), { from: 'user' })
    return exit
  } catch (error) {
    if (error instanceof CommanderError) return refused(screen, named(args) ?? name, error)
    throw error
  }
}

/** The command that was meant, where it was not run. */
function named(args: readonly string[]): string | undefined {
  const all = programOf((command) => command).commands.map((command) => command.name())
  return args.find((one) => all.includes(one))
}

/**
 * A digest, or an answer such as `-5`, may begin as an option does. It is bound to its own, so that it is not taken for
 * one of the program's (`-V…`).
 */
function bound(args: readonly string[]): readonly string[] {
  const taken = { '--approve': /^-[\w-]{42}$/, '--answer': /^-[^-]/ }
  const made: string[] = []
  for (const one of args) {
    const last = made.at(-1)
    const form = last === '--approve' || last === '--answer' ? taken[last] : undefined
    if (form?.test(one)) made[made.length - 1] = `${last}=${one}`
    else made.push(one)
  }
  return made
}

/** The parser, with what `runs` makes of each command. */
export function programOf(runs: Runs): Command {
  const program = new Command('authmd')
    .description(about)
    .version(manifest.version)
    .option('--json', 'one JSON object on standard output, nothing else there')
    .option('--tenant <name>', 'whose credentials: the organisation ("local" by default)')
    .option('--user <name>', 'whose credentials: the person (who is logged in by default)')
    .option('--agent <name>', 'whose credentials: the agent, where each has its own')
    .option('--store <dir>', 'where they are kept (~/.authmd by default)')
    .option('--policy <file>', 'what is allowed without asking and what is denied, as JSON')
    .option('--loopback', 'speak to services on this machine too, such as the sandbox')
    .option('--config <file>', 'settings as JSON (~/.config/authmd/config.json by default)')
    .addHelpText('after', more)
    .showSuggestionAfterError()
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    // What is wrong is said by us, with the JSON where that is promised.
    .configureOutput({ outputError: () => {} })
  for (const add of commands) add(program, runs)
  return program
}

async function runCommand(
  command: Command,
  handler: Handler<Flags>,
  screen: Screen,
): Promise<number> {
  const name = command.name()
  const flags = command.optsWithGlobals<Flags>()
  let resume: string | undefined
  let waits = false
  let stop = () => {}
  const stopped = new Promise<void>((resolve) => {
    stop = resolve
  })
  const interrupted = (): number => {
    const message = 'Stopped. Whatever was begun is written down.'
    const next = resume === undefined ? undefined : again(resume, flags)
    const lines = next === undefined ? [] : [`Go on with: ${line(next)}`]
    const error = { code: 'stopped', message }
    screen.fault(name, exits.stopped, error, lines, next === undefined ? {} : { next })
    return exits.stopped
  }
  const onSignal = () => {
    if (waits) stop()
    else process.exit(interrupted())
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
  let close = async () => {}
  try {
    const made = jobOf({
      screen,
      flags,
      resume: (text) => {
        resume = text
      },
      stopped: () => {
        waits = true
        return stopped
      },
    })
    close = made.close
    const result = await handler(made.job as Job, ...command.args)
    screen.end(name, goingOn(result, flags))
    return result.exit
  } catch (error) {
    if (gaveUp(error)) return interrupted()
    return failed(screen, name, error)
  } finally {
    await close()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal)
  }
}

/** The options without which the next command would look into another vault. */
const kept = ['config', 'tenant', 'user', 'agent', 'store', 'policy'] as const

/** A command of ours, with the options that were typed for this one. */
function again(text: string, flags: Flags): string {
  const typed = kept.flatMap((name) => {
    const value = flags[name]
    return value === undefined ? [] : [`--${name} ${quotedForShell(value)}`]
  })
  if (flags.loopback) typed.push('--loopback')
  return typed.length === 0
    ? text
    : text.replace(/\bauthmd (?=[a-z])/g, `authmd ${typed.join(' ')} `)
}

function quotedForShell(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`
}

/** Options and all, in characters. */
const maxNext = 16_000

/** What was typed stands in it, too, and a terminal is to obey none of it. */
function goingOn(result: Result, flags: Flags): Result {
  const { next } = result.data
  return {
    ...result,
    data: typeof next === 'string' ? { ...result.data, next: again(next, flags) } : result.data,
    lines: result.lines.map((one) =>
      /^Next: |\. Next: authmd /.test(one) ? line(again(one, flags), maxNext) : one,
    ),
  }
}

/** What AuthErrors say that the one who typed the command can put right. */
const typed = ['invalid_input', 'invalid_url', 'owner_invalid', 'secret_refused']
/** What they say that core will not do. */
const refusals = [
  'address_refused',
  'approval_out_of_band',
  'look_alike',
  'outside_audience',
  'redirect_refused',
]

function failed(screen: Screen, name: string, error: unknown): number {
  if (error instanceof UsageError) {
    screen.fault(name, exits.usage, { code: 'usage', message: error.message })
    return exits.usage
  }
  if (AuthError.isInstance(error)) {
    const { code } = error
    const message = line(error.message)
    const refused = refusals.includes(code) ? exits.refused : exits.fault
    const exit = typed.includes(code) ? exits.usage : refused
    screen.fault(name, exit, { code, message }, hintFor(code))
    return exit
  }
  // A message that we did not write may quote what it should not.
  const kind = (error as { code?: unknown }).code
  const why = typeof kind === 'string' && /^E[A-Z]+$/.test(kind) ? ` (${kind})` : ''
  screen.fault(name, exits.fault, {
    code: 'unexpected',
    message: `authmd failed unexpectedly${why}.`,
  })
  return exits.fault
}

function hintFor(code: string): readonly string[] {
  if (code === 'address_refused') {
    return ['Services on this machine, such as the sandbox, are spoken to with --loopback alone.']
  }
  return []
}

function refused(screen: Screen, name: string, error: CommanderError): number {
  if (error.exitCode === 0) return exits.done
  if (error.code === 'commander.help') {
    // The help stands on standard error already.
    screen.fault(name, exits.usage, { code: 'usage', message: 'Name a command.' })
    return exits.usage
  }
  // A value that was typed may be a key.
  const message = line(error.message.replace(/^error: /, ''))
    .replace(/(--?[\w-]+)=[^']*/g, '$1=…')
    .replace(/ argument '.*' is invalid\./s, ' is not understood.')
  screen.fault(name, exits.usage, { code: 'usage', message }, ['Next: authmd help'])
  return exits.usage
}
