import { request } from 'node:http'

/** Reads a `*.localhost` virtual host of the sandbox, which no resolver need know: JSON, or else a text. */
export function askLoopback(url: string): Promise<unknown> {
  const { port, host, pathname, search } = new URL(url)
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const sent = request(
    { host: '127.0.0.1', port, path: pathname + search, headers: { host } },
    (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve(text.startsWith('{') ? JSON.parse(text) : text))
    },
  )
  sent.on('error', reject)
  sent.end()
  return promise
}
