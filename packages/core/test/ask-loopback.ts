import { request } from 'node:http'

/** Asks a `*.localhost` virtual host of the sandbox, which no resolver need know. */
export function askLoopback(
  url: string,
  init: { method?: string; json?: unknown } = {},
): Promise<unknown> {
  const { port, host, pathname, search } = new URL(url)
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const headers = { host, 'content-type': 'application/json' }
  const options = { port, path: pathname + search, method: init.method ?? 'GET', headers }
  const sent = request({ host: '127.0.0.1', ...options }, (response) => {
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
