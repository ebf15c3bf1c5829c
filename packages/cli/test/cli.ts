import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  personAtPortal,
  type Sandbox,
  type SandboxOptions,
  signInLink,
  startSandbox,
} from '@authmd/sandbox'
import { build } from 'tsdown'

export const email = 'agents@operator.test'
const bundled = join(import.meta.dirname, '../.report/cli')
const node = [process.execPath, join(bundled, 'main.mjs')] as const

let built: Promise<unknown> | undefined

/** Makes the program in one piece: from its many sources each start takes two to three times as long. */
function bundle(): Promise<unknown> {
  return build({
    entry: join(import.meta.dirname, '../src/main.ts'),
    outDir: bundled,
    platform: 'node',
    inputOptions: { resolve: { conditionNames: ['@authmd/source', 'node', 'import', 'default'] } },
    deps: { alwaysBundle: [/./], neverBundle: ['pg'] },
    config: false,
    dts: false,
    logLevel: 'error',
  })
}

export interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** A program that runs in a pipe. */
export interface Piped {
  readonly ended: Promise<Run>
  kill(signal: 'SIGINT' | 'SIGKILL'): void
}

/** A program that runs at a pseudo-terminal, and the person at it. */
export interface Terminal {
  /** All that was shown so far. */
  shown(): string
  /** Resolves when the text has been shown since the last thing that was typed. */
  until(text: string): Promise<string>
  type(keys: string): void
  readonly ended: Promise<number>
}

/** The command line of one person with a home of their own, and the sandbox. */
export interface World extends AsyncDisposable {
  readonly sandbox: Sandbox
  readonly home: string
  /** Its command line, without arguments. */
  readonly program: readonly string[]
  /** In a pipe. */
  start(args: readonly string[], options?: RunOptions): Piped
  /** In a pipe, to its end. */
  run(args: readonly string[], options?: RunOptions): Promise<Run>
  /** In a pipe with `--json`: the object, which is all of standard output. */
  json(args: readonly string[], options?: RunOptions): Promise<Answer>
  /** In a line of a shell, in which `authmd` is the program. */
  shell(line: string): Promise<Run>
  /** At a pseudo-terminal. */
  terminal(args: readonly string[], options?: RunOptions): Terminal
}

// biome-ignore lint/suspicious/noExplicitAny: what a test reads of it is the test's own matter.
export type Answer = any

/** Why tests at a pseudo-terminal cannot run here; undefined where they can. */
export const noTerminal: string | undefined = (() => {
  const { stdout } = spawnSync('script', ['--version'], { encoding: 'utf8' })
  if (stdout?.includes('util-linux')) return undefined
  const why = 'the tests at a pseudo-terminal need `script` of util-linux'
  if (process.env.CI) throw new Error(why)
  console.warn(`skipped: ${why}`)
  return why
})()

const inShell = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

export async function openCli(options: SandboxOptions = {}): Promise<World> {
  built ??= bundle()
  await built
  const sandbox = await startSandbox(options)
  const home = mkdtempSync(join(tmpdir(), 'authmd-cli-'))
  const children = new Set<ChildProcess>()
  const envOf = (more: RunOptions['env'] = {}) => ({
    PATH: process.env.PATH,
    HOME: home,
    AUTHMD_KEY_FILE: join(home, 'key'),
    AUTHMD_LOOPBACK: '1',
    AUTHMD_EMAIL: email,
    NODE_COMPILE_CACHE: bundled,
    ...more,
  })
  const track = (child: ChildProcess) => {
    children.add(child)
    child.once('close', () => children.delete(child))
  }

  const start = (args: readonly string[], options?: RunOptions): Piped =>
    startProgram([...node, ...args], options)

  function startProgram(
    [command = '', ...args]: readonly string[],
    { input, env }: RunOptions = {},
  ): Piped {
    const child = spawn(command, args, { env: envOf(env) as NodeJS.ProcessEnv })
    track(child)
    const said = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text
      })
    }
    child.stdin.on('error', () => {}).end(input ?? '')
    const ended = new Promise<Run>((resolve) =>
      child.once('close', (code) => resolve({ code: code ?? -1, ...said })),
    )
    return { ended, kill: (signal) => child.kill(signal) }
  }

  const shell: World['shell'] = (line) =>
    startProgram(['sh', '-c', `authmd() { ${node.map(inShell).join(' ')} "$@"; }; ${line}`]).ended

  const run: World['run'] = (args, runOptions) => start(args, runOptions).ended

  async function json(args: readonly string[], runOptions?: RunOptions): Promise<Answer> {
    const { code, stdout } = await run([...args, '--json'], runOptions)
    const answer = JSON.parse(stdout)
    if (stdout !== `${stdout.trimEnd()}\n` || stdout.trimEnd().includes('\n')) {
      throw new Error(`more than one line: ${stdout}`)
    }
    if (answer.exit !== code) throw new Error(`it says ${answer.exit} and ends with ${code}`)
    return answer
  }

  function terminal(args: readonly string[], { env }: RunOptions = {}): Terminal {
    const command = [...node, ...args].map(inShell).join(' ')
    const child = spawn(
      'script',
      ['-qefc', `stty cols 160 rows 50; exec ${command}`, '/dev/null'],
      {
        env: envOf({ TERM: 'xterm-256color', ...env }) as NodeJS.ProcessEnv,
        detached: true,
      },
    )
    track(child)
    let all = ''
    let read = 0
    let look = () => {}
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      all += text
      look()
    })
    const ended = new Promise<number>((resolve) =>
      child.once('close', (code) => resolve(code ?? -1)),
    )
    return {
      shown: () => all,
      ended,
      type: (keys) => {
        read = all.length
        child.stdin.write(keys)
      },
      until: (text) =>
        new Promise((resolve, reject) => {
          look = () => {
            if (all.slice(read).includes(text)) resolve(all.slice(read))
          }
          look()
          ended.then((code) => reject(new Error(`ended with ${code} before ${text}:\n${all}`)))
        }),
    }
  }

  return {
    sandbox,
    home,
    program: node,
    start,
    run,
    shell,
    json,
    terminal,
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill('SIGKILL')
      await sandbox.close()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** The answer to the puzzle that a text shows between bars. */
export function solution({ sandbox }: World, shown: string): string {
  const problem = [...shown.matchAll(/^ {2}│ (.*?)\r?$/gm)].map(([, text]) => text).join('\n')
  return answerTo(sandbox, problem)
}

export function answerTo(sandbox: Sandbox, problem: string): string {
  const answer = sandbox.answerTo(problem)
  if (answer === undefined) throw new Error(`the sandbox does not know the puzzle ${problem}`)
  return answer
}

/** The link that the service has mailed. */
export async function mailedLink({ sandbox }: World): Promise<string> {
  return signInLink(await sandbox.mail.waitFor(email))
}

export function portal({ sandbox }: World): ReturnType<typeof personAtPortal> {
  return personAtPortal(sandbox, email)
}
