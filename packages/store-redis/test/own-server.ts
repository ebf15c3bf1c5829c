import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'

/** In CI the tests fail without `redis-server`; a contributor's machine skips them. */
export const skipOwn: boolean =
  process.env.CI !== 'true' && spawnSync('redis-server', ['--version']).status !== 0
if (skipOwn) console.warn('redis-server is not installed: the tests that kill one are skipped')

/** A server of a test's own, which keeps what it acknowledges and can be killed. */
export class OwnServer {
  readonly #dir: string
  readonly #port: number
  readonly #more: readonly string[]
  #process: ChildProcess | undefined

  private constructor(dir: string, port: number, more: readonly string[]) {
    this.#dir = dir
    this.#port = port
    this.#more = more
  }

  static async start(...more: string[]): Promise<OwnServer> {
    const dir = await mkdtemp(join(tmpdir(), 'authmd-redis-'))
    const server = new OwnServer(dir, await freePort(), more)
    await server.up()
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`
  }

  async up(): Promise<void> {
    const keeps = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '']
    const where = ['--port', `${this.#port}`, '--bind', '127.0.0.1', '--dir', this.#dir]
    this.#process = spawn('redis-server', [...where, ...keeps, ...this.#more], { stdio: 'ignore' })
    for (;;) {
      const client = createClient({ url: this.url, socket: { reconnectStrategy: false } })
      client.on('error', () => undefined)
      try {
        await client.connect()
        await client.ping()
        await client.close()
        return
      } catch {
        client.destroy()
        await new Promise((done) => setTimeout(done, 50))
      }
    }
  }

  /** As a crash: nothing is written any more. */
  async kill(): Promise<void> {
    const process = this.#process
    if (process === undefined || process.exitCode !== null) return
    const gone = new Promise((done) => process.once('exit', done))
    process.kill('SIGKILL')
    await gone
  }

  async remove(): Promise<void> {
    await this.kill()
    await rm(this.#dir, { recursive: true, force: true })
  }
}

/** A port that nobody listens at just then. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.once('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      server.close(() => done(port))
    })
  })
}
