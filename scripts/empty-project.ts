// What a project outside the repository needs to try the packages out, and what is tried there.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export const root: string = join(import.meta.dirname, '..')
const adapters = ['ai-sdk', 'langchain', 'mastra', 'mcp', 'opentelemetry'] as const
const stores = ['store-postgres', 'store-redis'] as const
const programs = [...adapters, 'cli', 'console', 'stores'] as const

/** What the programs need beside the packages and their peers, and where it is installed here. */
const tools = [
  'node_modules/@types/node',
  'node_modules/@types/pg',
  'packages/opentelemetry/node_modules/@opentelemetry/sdk-trace-base',
]

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly repository?: { readonly url: string }
  readonly peerDependencies?: Readonly<Record<string, string>>
}

export interface PublicPackage {
  readonly name: string
  /** Its folder, from the root. */
  readonly dir: string
}

/** All that are published. */
export function publicPackages(): readonly PublicPackage[] {
  const found = globSync('{packages,apps}/*/package.json', { cwd: root }).map((path) => {
    const dir = dirname(path)
    return { dir, ...manifest(join(root, dir)) }
  })
  return found.filter((one) => one.private !== true).map(({ name, dir }) => ({ name, dir }))
}

export function manifest(dir: string): Manifest {
  return JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as Manifest
}

/** The versions of the tools that the lock file names. */
export function toolVersions(): Record<string, string> {
  const found = tools.map((path) => manifest(join(root, path)))
  return Object.fromEntries(found.map(({ name, version }) => [name, version]))
}

export function writeJson(file: string, value: object): void {
  writeFileSync(file, JSON.stringify(value, null, 2))
}

const stopped = new AbortController()
const children = new Set<ChildProcessWithoutNullStreams>()

/**
 * Starts a command as a user would: without our export condition. `env` comes on top; undefined takes a variable
 * away.
 */
export function start(
  cwd: string,
  [program, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string | undefined>> = {},
): ChildProcessWithoutNullStreams {
  stopped.signal.throwIfAborted()
  // In a group of its own, so that what it starts can be ended with it.
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, NODE_OPTIONS: undefined, ...env },
    detached: true,
  })
  children.add(child)
  child.on('close', () => children.delete(child))
  return child
}

/** Ends what was started, and all that it has started. */
export function end({ pid }: { pid?: number }, signal: NodeJS.Signals): void {
  if (pid !== undefined) process.kill(-pid, signal)
}

/** Runs a command to its end and gives its output, with which it throws where the command fails. */
export function run(...started: Parameters<typeof start>): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = start(...started)
  child.stdin.end()
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  child.on('error', reject)
  child.on('close', (code) => {
    if (code === 0) resolve(output)
    else reject(new Error(`${started[1].join(' ')} failed\n${output}`))
  })
  return promise
}

/** Does the work in a directory that is gone afterwards, also where the work fails or is interrupted. */
export async function inTemporary(
  prefix: string,
  work: (dir: string) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), prefix))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      process.exitCode = 128 + constants.signals[signal]
      stopped.abort(new Error(`stopped by ${signal}`))
      for (const child of children) end(child, 'SIGKILL')
    })
  }
  try {
    await work(dir)
  } catch (error) {
    process.exitCode ??= 1
    console.error(String(stopped.signal.reason ?? error))
  } finally {
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Runs each program where the packages are installed, and checks types there by these configurations. */
export async function tryOut(dir: string, configurations: readonly string[]): Promise<void> {
  // Where the frameworks' own declarations have errors, those of packages are not checked. Ours then are,
  // as if they were source files.
  for (const name of ['console', 'doctor', ...adapters, ...stores]) {
    const built = join(dir, 'node_modules/@authmd', name, 'dist')
    for (const file of globSync('*.d.ts', { cwd: built })) {
      cpSync(join(built, file), join(dir, 'declarations', name, file.replace(/\.d\.ts$/, '.ts')))
    }
  }
  const results = await Promise.allSettled([
    ...programs.map((name) => run(dir, [process.execPath, `${name}.mts`])),
    ...configurations.map((name) =>
      run(dir, [join(root, 'node_modules/.bin/tsc'), '-p', name]).then(() => `types: ${name}\n`),
    ),
  ])
  const faults = results.filter((result) => result.status === 'rejected')
  for (const result of results)
    if (result.status === 'fulfilled') process.stdout.write(result.value)
  if (faults.length > 0) throw new Error(faults.map(({ reason }) => String(reason)).join('\n'))
}
