import type { AgentAuth } from '../agent-auth.ts'
import type { Mounted, MountOptions } from '../mcp/mount.ts'
import type { Owner } from '../owner.ts'
import { type AuthTool, authTools } from './tools.ts'

/** For adapters: the tools of an agent by their names, the five and those that were mounted. */
export class ToolBook {
  readonly #auth: Pick<AgentAuth, 'as'>
  readonly #tools = new Map<string, { readonly tool: AuthTool; readonly service?: string }>()
  #mounting: Promise<unknown> = Promise.resolve()

  constructor(auth: Pick<AgentAuth, 'as'>) {
    this.#auth = auth
    for (const tool of authTools) this.#tools.set(tool.name, { tool })
  }

  get(name: string): AuthTool | undefined {
    return this.#tools.get(name)?.tool
  }

  get all(): readonly AuthTool[] {
    return [...this.#tools.values()].map(({ tool }) => tool)
  }

  /** Mounts a service's tools; those of an earlier mount of the same service give way. */
  mount(owner: Owner, service: string, options: MountOptions = {}): Promise<Mounted> {
    // One after the other, so that of two at once the second knows the names of the first.
    const mounted = this.#mounting.then(() => this.#mount(owner, service, options))
    this.#mounting = mounted.catch(() => undefined)
    return mounted
  }

  async #mount(owner: Owner, service: string, options: MountOptions): Promise<Mounted> {
    const others = [...this.#tools].filter(([, entry]) => entry.service !== service)
    const taken = [...(options.taken ?? []), ...others.map(([name]) => name)]
    const mounted = await this.#auth.as(owner).mount(service, { ...options, taken })
    for (const [name, entry] of this.#tools) {
      if (entry.service === service) this.#tools.delete(name)
    }
    for (const tool of mounted.tools) this.#tools.set(tool.name, { tool, service })
    return mounted
  }
}
