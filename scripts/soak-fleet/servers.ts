import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { chownSync, globSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { createClient } from 'redis'
import { freePort } from '../../packages/store-redis/test/own-server.ts'

export type StoreKind = 'postgres' | 'redis' | 'file'

/** A store's server of our own, which can be killed, paused and started again on the same data. */
export class OwnServer {
  readonly port: number
  readonly #start: (port: number) => ChildProcess
  readonly #answers: (port: number) => Promise<void>
  #process: ChildProcess | undefined

  constructor(
    port: number,
    start: (port: number) => ChildProcess,
    answers: (port: number) => Promise<void>,
  ) {
    this.port = port
    this.#start = start
    this.#answers = answers
  }

  /** Starts it, again if it ends at once, as PostgreSQL does while processes of the one before still end. */
  async up(): Promise<void> {
    const until = Date.now() + 30_000
    for (;;) {
      if (this.#process === undefined || this.#process.exitCode !== null) {
        this.#process = this.#start(this.port)
        this.#process.on('error', () => undefined)
      }
      try {
        return await this.#answers(this.port)
      } catch (cause) {
        if (Date.now() > until) throw new Error('a server does not come up', { cause })
        await sleep(50)
      }
    }
  }

  /** As a crash: nothing is written any more, nobody is told. */
  kill(): void {
    this.#signal('SIGKILL')
    this.#process = undefined
  }

  /** It keeps its connections and answers nothing. */
  pause(): void {
    this.#signal('SIGSTOP')
  }

  resume(): void {
    this.#signal('SIGCONT')
  }

  /** To the process and to those that it has started: PostgreSQL has one for each connection. */
  #signal(signal: NodeJS.Signals): void {
    const pid = this.#process?.pid
    if (pid === undefined) return
    for (const one of [pid, ...childrenOf(pid)]) {
      try {
        process.kill(one, signal)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    }
  }
}

function childrenOf(parent: number): readonly number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).split('\n')
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number))
  return pairs.flatMap(([pid, of]) => (of === parent && pid !== undefined ? [pid] : []))
}

/** The server of a store below `dir`, or undefined where none is installed. */
export async function ownServer(kind: StoreKind, dir: string): Promise<OwnServer | undefined> {
  if (kind === 'redis') return redisServer(dir)
  return kind === 'postgres' ? postgresServer(dir) : undefined
}

/** With what its README says that nothing acknowledged is lost: each write is on the disk before its answer. */
async function redisServer(dir: string): Promise<OwnServer | undefined> {
  if (spawnSync('redis-server', ['--version']).status !== 0) return undefined
  const keeps = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '']
  const start = (port: number) => {
    const where = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir]
    return spawn('redis-server', [...where, ...keeps], { stdio: 'ignore' })
  }
  const answers = async (port: number) => {
    const client = createClient({
      url: `redis://127.0.0.1:${port}`,
      socket: { reconnectStrategy: false, connectTimeout: 1_000 },
    })
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.ping()
    } finally {
      client.destroy()
    }
  }
  return new OwnServer(await freePort(), start, answers)
}

async function postgresServer(dir: string): Promise<OwnServer | undefined> {
  const bin = postgresBin()
  if (bin === undefined) return undefined
  const as = notRoot()
  const data = join(dir, 'data')
  mkdirSync(data, { mode: 0o700 })
  if (as.uid !== undefined && as.gid !== undefined) chownSync(data, as.uid, as.gid)
  const made = ['-D', data, '-A', 'trust', '-U', 'authmd', '-E', 'UTF8', '--locale=C', '--no-sync']
  execFileSync(join(bin, 'initdb'), made, { ...as, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] })
  const start = (port: number) => {
    const set = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=']
    const args = ['-D', data, ...set.flatMap((one) => ['-c', one])]
    return spawn(join(bin, 'postgres'), args, { ...as, cwd: '/', stdio: 'ignore' })
  }
  const answers = async (port: number) => {
    const client = new Client({
      connectionString: postgresUrl(port),
      connectionTimeoutMillis: 2_000,
      query_timeout: 2_000,
    })
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.query('select 1')
    } finally {
      await client.end().catch(() => undefined)
    }
  }
  return new OwnServer(await freePort(), start, answers)
}

export function postgresUrl(port: number): string {
  return `postgresql://authmd@127.0.0.1:${port}/postgres`
}

/** Distributions keep the server's programs out of the path. */
function postgresBin(): string | undefined {
  const dirs = globSync([
    '/usr/lib/postgresql/*/bin',
    '/usr/pgsql-*/bin',
    '/opt/homebrew/opt/postgresql*/bin',
  ])
  const found = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout?.trim()
  return [...(found ? [found] : []), ...dirs.sort().reverse()].find(
    (one) => spawnSync(join(one, 'postgres'), ['--version']).status === 0,
  )
}

/** PostgreSQL refuses to run as root. */
function notRoot(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string, name: string) => {
    const { status, stdout } = spawnSync('id', [flag, name], { encoding: 'utf8' })
    return status === 0 ? Number(stdout) : undefined
  }
  const name = id('-u', 'postgres') === undefined ? 'nobody' : 'postgres'
  const [uid, gid] = [id('-u', name), id('-g', name)]
  if (uid === undefined || gid === undefined) throw new Error('there is no user to run PostgreSQL')
  return { uid, gid }
}
