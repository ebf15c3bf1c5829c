// Serves what `fetch.ts` asks for, in a process of its own so that it takes no time from the client's.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { listing, MiB } from './texts.ts'

const small = Buffer.from(listing(256))
const kB256 = Buffer.from(listing(256 * 1024))
const large = Buffer.from(listing(MiB))
const bodies: Readonly<Record<string, Buffer>> = { small, kB256, large }
const chunk = 64 * 1024

const server = createServer((request, response) => {
  const [, size = '', how, kind] = (request.url ?? '').split('/')
  const body = bodies[size]
  if (body === undefined) return response.writeHead(404).end()
  const type = kind === 'binary' ? 'application/octet-stream' : 'application/json'
  if (how !== 'streamed') {
    return response
      .writeHead(200, { 'content-type': type, 'content-length': body.length })
      .end(body)
  }
  response.writeHead(200, { 'content-type': type })
  for (let at = 0; at < body.length; at += chunk) response.write(body.subarray(at, at + chunk))
  return response.end()
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port)
})
process.once('disconnect', () => process.exit())
