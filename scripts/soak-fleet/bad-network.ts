import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What stands between the workers and a store's server, so that the way there can be made bad. */
export class BadNetwork {
  /** Milliseconds that each chunk is kept, each way. */
  delayMs = 0
  readonly #target: number
  readonly #server: Server
  readonly #open = new Map<Socket, Socket>()
  #repliesToDrop = 0

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer((client) => this.#connect(client))
  }

  /** To a port of this machine. */
  static async start(target: number): Promise<BadNetwork> {
    const proxy = new BadNetwork(target)
    await new Promise<void>((done, fail) => {
      proxy.#server.once('error', fail)
      proxy.#server.listen(0, '127.0.0.1', done)
    })
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  /** Cuts every connection, whatever is on its way. */
  cut(): void {
    for (const [client, server] of this.#open) {
      client.destroy()
      server.destroy()
    }
  }

  /** Cuts the next connections on which the server answers: what it did is done, and nobody hears of it. */
  dropReplies(count: number): void {
    this.#repliesToDrop = count
  }

  close(): void {
    this.#server.close()
    this.cut()
  }

  #connect(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1')
    this.#open.set(client, server)
    const end = () => {
      this.#open.delete(client)
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      socket.on('error', end)
      socket.on('close', end)
    }
    const there = this.#pass(server)
    const back = this.#pass(client)
    client.on('data', there)
    server.on('data', (chunk) => {
      if (this.#repliesToDrop > 0) {
        this.#repliesToDrop--
        end()
      } else back(chunk)
    })
  }

  /** One way. No chunk overtakes another, also where the delay becomes shorter. */
  #pass(to: Socket): (chunk: Buffer) => void {
    let before: Promise<unknown> = Promise.resolve()
    return (chunk) => {
      const late = this.delayMs > 0 ? sleep(this.delayMs) : undefined
      before = Promise.all([before, late]).then(() => to.writable && to.write(chunk))
    }
  }
}
