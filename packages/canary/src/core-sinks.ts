import type { Canary } from './canary.ts'

const done = Symbol.for('authmd.canary.core')

/** Verbs and views whose results leave core. A redactor is the one thing that does hold secrets. */
const kept = ['constructor', 'redactor', 'as']

/**
 * Watches what core gives back and throws, in every package, whoever calls it: outcomes, views, actions,
 * errors with their causes, and what the tools say.
 */
export async function watchCore(canary: Canary): Promise<void> {
  const state = globalThis as { [done]?: true }
  if (state[done]) return
  state[done] = true
  const core = await import('../../core/src/node/main.ts')
  const auth = core.createAgentAuth({ store: core.memoryStore() })
  for (const one of [auth, auth.people, auth.as({ tenant: 'canary' })]) {
    const methods = Object.getPrototypeOf(one) as Record<string, unknown>
    for (const name of Object.getOwnPropertyNames(methods)) {
      const { value } = Object.getOwnPropertyDescriptor(methods, name) ?? {}
      if (kept.includes(name) || typeof value !== 'function') continue
      methods[name] = watched(canary, value as Method, 'outcome')
    }
  }
  for (const tool of core.authTools) {
    Object.assign(tool, { run: watched(canary, tool.run as Method, 'tool output') })
  }
}

type Method = (...args: unknown[]) => unknown

function watched(canary: Canary, method: Method, sink: string): Method {
  const seeError = (error: unknown): never => {
    canary.see('error', error)
    throw error
  }
  return function (this: unknown, ...args) {
    let result: unknown
    try {
      result = method.apply(this, args)
    } catch (error) {
      return seeError(error)
    }
    if (typeof result === 'function') return watched(canary, result as Method, 'answer of fetch')
    if (!(result instanceof Promise)) return result
    return result.then((value: unknown) => {
      canary.see(sink, value instanceof Response ? [value.url, [...value.headers]] : value)
      return value
    }, seeError)
  }
}
