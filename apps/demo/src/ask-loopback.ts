import { request } from 'node:http'

/** Asks a `*.localhost` virtual host, which no resolver need know. */
export function askLoopback(
  method: string,
  url: string,
  init: { readonly json?: unknown; readonly token?: string } = {},
): Promise<unknown> {
  const { port, host, pathname, search } = new URL(url)
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const headers = {
    host,
    'content-type': 'application/json',
    ...(init.token === undefined ? {} : { authorization: `Bearer ${init.token}` }),
  }
  const options = { host: '127.0.0.1', port, path: pathname + search, method, headers }
  const sent = request(options, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    response.on('end', () => resolve(text === '' ? undefined : JSON.parse(text)))
  })
  sent.on('error', reject)
  sent.end(init.json === undefined ? undefined : JSON.stringify(init.json))
  return promise
}
