import type { Server } from '@modelcontextprotocol/sdk/server/index.js'
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js'
import * as mcp from '@modelcontextprotocol/sdk/types.js'

type Extra = RequestHandlerExtra<mcp.ServerRequest, mcp.ServerNotification>

const everyMs = 10_000

/** The client during one call: whom to ask there, and whom to tell that the call is still alive. */
export class Client {
  readonly signal: AbortSignal
  readonly #server: Server
  readonly #extra: Extra
  #told = 0

  constructor(server: Server, extra: Extra) {
    this.#server = server
    this.#extra = extra
    this.signal = extra.signal
  }

  /** Whether it asked for progress, and so is ready to wait. */
  get listens(): boolean {
    return this.#extra._meta?.progressToken !== undefined
  }

  can(mode: 'form' | 'url'): boolean {
    return this.#server.getClientCapabilities()?.elicitation?.[mode] !== undefined
  }

  /** Tells now and every ten seconds, so that the client does not give the call up. Returns the end of it. */
  keepTelling(message: string): () => void {
    this.#tell(message)
    const timer = setInterval(() => this.#tell(message), everyMs)
    return () => clearInterval(timer)
  }

  /** Undefined where nobody answered: the client failed, went away or let the time run out. */
  ask(params: mcp.ElicitRequest['params'], timeout: number): Promise<mcp.ElicitResult | undefined> {
    const request = { method: 'elicitation/create', params } as const
    const options = { timeout, signal: this.signal }
    const asked = this.#extra.sendRequest(request, mcp.ElicitResultSchema, options)
    return asked.catch(() => undefined).finally(this.keepTelling('Waiting for a person'))
  }

  /** Tells of progress. Where nobody listens any more, what is being done goes on. */
  #tell(message: string): void {
    const progressToken = this.#extra._meta?.progressToken
    if (progressToken === undefined) return
    const params = { progressToken, progress: ++this.#told, message }
    const notification = { method: 'notifications/progress', params } as const
    this.#extra.sendNotification(notification).catch(() => undefined)
  }
}
