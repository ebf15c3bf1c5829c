import { request } from 'node:http'
import type { Sandbox } from '../sandbox.ts'

export interface PortalKey {
  readonly id: string
  readonly name: string
  readonly scope: 'full' | 'read'
}

/** What a person can do in the portal. Each act signs in first. */
export interface PersonAtPortal {
  /** The account's good keys, without their values. */
  keys(): Promise<readonly PortalKey[]>
  /** The portal shows `api_key` this once. */
  makeKey(scope?: PortalKey['scope']): Promise<PortalKey & { readonly api_key: string }>
  deleteKey(id: string): Promise<void>
  deleteKeys(): Promise<void>
}

/**
 * A person in the portal, by the requests of its API. Goes to 127.0.0.1, whatever the resolver says
 * of `*.localhost`. Each of its functions throws an Error with the portal's words where it refuses.
 *
 * @example
 * const { api_key } = await personAtPortal(sandbox, 'ada@agents.example').makeKey()
 */
export function personAtPortal(
  { urls: { portal } }: Pick<Sandbox, 'urls'>,
  email: string,
): PersonAtPortal {
  const asked = async (method: string, path: string, json?: unknown) => {
    const signIn = await ask('POST', `${portal}/api/sign-in`, { json: { email } })
    const { token } = signIn as { token: string }
    return ask(method, `${portal}/api/keys${path}`, { token, json })
  }
  const keys = async () => (await asked('GET', '')) as PortalKey[]
  const deleteKey = async (id: string) => void (await asked('DELETE', `/${id}`))
  return {
    keys,
    makeKey: async (scope = 'full') =>
      (await asked('POST', '', { scope })) as PortalKey & { api_key: string },
    deleteKey,
    deleteKeys: async () => {
      for (const { id } of await keys()) await deleteKey(id)
    },
  }
}

/** The `data` of an answer. */
function ask(method: string, url: string, { token, json }: { token?: string; json?: unknown }) {
  const { port, host, pathname: path } = new URL(url)
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const headers = { host, 'content-type': 'application/json', ...authorization }
  const sent = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    response.on('error', reject).on('end', () => {
      const { statusCode = 0 } = response
      if (statusCode >= 300) reject(new Error(`${method} ${url}: ${statusCode} ${text}`))
      else resolve(text === '' ? undefined : JSON.parse(text).data)
    })
  })
  sent.on('error', reject)
  sent.end(json === undefined ? undefined : JSON.stringify(json))
  return promise
}
