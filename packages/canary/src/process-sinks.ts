import childProcess, { ChildProcess } from 'node:child_process'
import { Console } from 'node:console'
import { subscribe } from 'node:diagnostics_channel'
import fs from 'node:fs'
import type { ClientRequest } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { Canary, Issued } from './canary.ts'

type Any = (...args: never[]) => unknown

const done = Symbol.for('authmd.canary.process')

/** Watches all of this process that needs no help of a test. */
export function watchProcess(canary: Canary): void {
  watchConsole(canary)
  const state = globalThis as { [done]?: true }
  if (state[done]) return
  state[done] = true
  watchIssued(canary)
  watchOutput(canary)
  watchRequests(canary)
  watchFolders(canary)
  watchChildren(canary)
  syncBuiltinESMExports()
}

/** Calls `seen` with what a method is called with, and before it. */
function before<T extends object>(owner: T, name: keyof T, seen: (...args: unknown[]) => void) {
  const real = owner[name] as Any
  owner[name] = function (this: unknown, ...args: never[]) {
    seen(...args)
    return real.apply(this, args)
  } as T[keyof T]
}

function watchIssued(canary: Canary): void {
  subscribe('authmd.sandbox.issued', (message) => {
    canary.issued(message as Issued, 'a sandbox')
  })
}

function watchOutput(canary: Canary): void {
  for (const name of ['stdout', 'stderr'] as const) {
    before(process[name], 'write', (chunk) => canary.see(name, textOf(chunk)))
  }
}

const watched = Symbol('watched by the canary')

/** The test runner's console does not write to the process's own streams. */
function watchConsole(canary: Canary): void {
  const target = console as Console & { [watched]?: true }
  if (target[watched]) return
  target[watched] = true
  const sink = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, next) {
      canary.see('console', String(chunk))
      next()
    },
  })
  const copy = new Console(sink, sink)
  for (const name of ['log', 'info', 'debug', 'warn', 'error', 'dir', 'table', 'trace'] as const) {
    before(target, name, (...args) => (copy[name] as (...args: unknown[]) => void)(...args))
  }
}

/** Addresses, where a credential never belongs; headers and bodies, where it belongs at one server alone. */
function watchRequests(canary: Canary): void {
  subscribe('undici:request:create', (message) => {
    const { request } = message as { request: UndiciRequest }
    const { origin, path, headers } = request
    canary.see('URL', `${origin}${path}`)
    canary.request(portOf(`${origin}`), [headers].flat().join('\n'))
  })
  subscribe('undici:request:bodyChunkSent', (message) => {
    const { request, chunk } = message as { request: UndiciRequest; chunk: unknown }
    canary.request(portOf(`${request.origin}`), textOf(chunk))
  })
  subscribe('http.client.request.start', (message) => {
    const { request } = message as { request: ClientRequest }
    const { host, path } = request
    canary.see('URL', `//${host}${path}`)
    const headers = Object.values(request.getHeaders()).join('\n')
    canary.request(portOf(`${request.protocol}//${request.getHeader('host') ?? host}`), headers)
  })
}

interface UndiciRequest {
  readonly origin: unknown
  readonly path: string
  readonly headers: unknown
}

function portOf(origin: string): number {
  const url = URL.parse(origin)
  return Number(url?.port || (url?.protocol === 'https:' ? 443 : 80))
}

/** Folders that tests make; each is searched before it is removed. */
function watchFolders(canary: Canary): void {
  const { mkdtemp } = fs.promises
  fs.promises.mkdtemp = (async (...args: Parameters<typeof mkdtemp>) => {
    const path = await mkdtemp(...args)
    found(String(path))
    return path
  }) as typeof mkdtemp
  const { mkdtempSync } = fs
  fs.mkdtempSync = ((...args: Parameters<typeof mkdtempSync>) => {
    const path = mkdtempSync(...args)
    found(String(path))
    return path
  }) as typeof mkdtempSync
  // A browser's own folder holds what the person at it has typed.
  const found = (path: string) => path.includes('playwright') || canary.folder(path)
  before(fs.promises, 'rm', (path) => canary.seeFiles(String(path)))
  before(fs, 'rmSync', (path) => canary.seeFiles(String(path)))
}

/** Arguments, environments and output of the processes that are started, and what they issue. */
function watchChildren(canary: Canary): void {
  const issued = join(tmpdir(), `authmd-canary-${process.pid}.jsonl`)
  const preload = `--import=${new URL('child.ts', import.meta.url)}`
  canary.sources.push(() => {
    if (!fs.existsSync(issued)) return
    for (const line of fs.readFileSync(issued, 'utf8').split('\n')) {
      if (line === '') continue
      canary.issued(JSON.parse(line) as Issued, 'a sandbox in another process')
    }
    fs.unlinkSync(issued)
  })
  process.on('exit', () => fs.rmSync(issued, { force: true }))

  function started(file: string, args: readonly string[], env: readonly string[]): void {
    canary.see('argv', [file, ...args].join('\n'))
    canary.see('child environment', env.join('\n'))
  }

  interface Spawned {
    readonly file: string
    readonly args?: readonly string[]
    envPairs?: string[]
  }
  const child = ChildProcess.prototype as unknown as { spawn(options: Spawned): unknown }
  const { spawn } = child
  child.spawn = function (this: ChildProcess, options) {
    const pairs = options.envPairs ?? []
    started(options.file, options.args ?? [], pairs)
    if (options.file === process.execPath) {
      const own = pairs
        .find((one) => one.startsWith('NODE_OPTIONS='))
        ?.slice('NODE_OPTIONS='.length)
      options.envPairs = [
        ...pairs.filter((one) => !one.startsWith('NODE_OPTIONS=')),
        `NODE_OPTIONS=${own === undefined ? '' : `${own} `}${preload}`,
        `AUTHMD_CANARY_FILE=${issued}`,
      ]
    }
    const result = spawn.call(this, options)
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = this[name]
      if (stream === null || stream === undefined) continue
      const add = canary.stream(`child ${name}`)
      // Passively: a listener would have the data flow before the test wants it.
      before(stream, 'push', (chunk) => chunk !== null && add(chunk as string | Uint8Array))
    }
    return result
  }

  function output(from: unknown): void {
    for (const name of ['stdout', 'stderr'] as const) {
      const text = (from as { [name]?: unknown } | undefined)?.[name]
      if (text) canary.see(`child ${name}`, textOf(text))
    }
  }

  for (const name of ['spawnSync', 'execFileSync', 'execSync'] as const) {
    const real = childProcess[name] as (...given: unknown[]) => unknown
    const waiting = (file: string, ...rest: unknown[]) => {
      const args: string[] = Array.isArray(rest[0]) ? rest[0] : []
      const given = rest.find((one) => typeof one === 'object' && !Array.isArray(one))
      const env = { ...((given as { env?: NodeJS.ProcessEnv } | undefined)?.env ?? process.env) }
      const pairs = Object.entries(env).map((pair) => pair.join('='))
      started(file, args, pairs)
      if (file.includes(process.execPath)) {
        env.NODE_OPTIONS = `${env.NODE_OPTIONS ?? ''} ${preload}`.trim()
        env.AUTHMD_CANARY_FILE = issued
      }
      const options = { ...(given as object | undefined), env }
      try {
        const result = name === 'execSync' ? real(file, options) : real(file, args, options)
        output(name === 'spawnSync' ? result : { stdout: result })
        return result
      } catch (error) {
        output(error)
        throw error
      }
    }
    Object.assign(childProcess, { [name]: waiting })
  }
}

function textOf(chunk: unknown): string {
  if (typeof chunk === 'string') return chunk
  return chunk instanceof Uint8Array ? Buffer.from(chunk).toString() : String(chunk)
}
