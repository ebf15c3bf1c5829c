import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Sandbox } from '@authmd/sandbox'
import { expect } from 'vitest'
import { type HttpOptions, type HttpServer, serveHttp } from '../src/index.ts'
import { owner, startWorld, type World, type WorldOptions } from './world.ts'

export const token = 'test-token-of-kim-0123456789-0123456789'
export const otherToken = 'test-token-of-eve-0123456789-0123456789'
export const otherOwner = { tenant: 'acme', user: 'eve' }

/** A server that is reached through a tap on its wire. */
export interface Tapped extends World {
  readonly url: string
  /** All bytes that went through, both ways. */
  readonly wire: () => string
  /** Cuts every connection, as when the client's process is killed. */
  readonly cut: () => void
}

type Setup = Partial<HttpOptions> & WorldOptions

/** The sandbox, authmd and its server over HTTP, for two callers, with a tap between it and clients. */
export async function startTapped({
  mailbox,
  methods,
  policy,
  codesThroughModel,
  ...options
}: Setup = {}): Promise<Tapped> {
  const world = await startWorld({ mailbox, methods, policy, codesThroughModel })
  const sockets = new Set<Socket>()
  const seen: Buffer[] = []
  let target = 0
  const tap = createServer((inside) => {
    const outside = connect(target, '127.0.0.1')
    for (const [one, other] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      sockets.add(one)
      one.on('data', (chunk: Buffer) => void seen.push(chunk))
      one.pipe(other)
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
    }
  })
  await new Promise<void>((resolve) => void tap.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(tap.address() as AddressInfo).port}`
  const callers = [
    { token, owner, approver: 'kim@acme.example' },
    { token: otherToken, owner: otherOwner },
  ]
  const server: HttpServer = await serveHttp(world.auth, {
    callers,
    allowedHosts: [host],
    ...options,
  })
  target = Number(new URL(server.url).port)
  const cut = () => {
    for (const one of sockets) one.destroy()
  }
  const close = async () => {
    cut()
    tap.close()
    await server.close()
    await world.close()
  }
  const wire = () => Buffer.concat(seen).toString('utf8')
  return { ...world, url: `http://${host}/mcp`, wire, cut, close }
}

/** No secret that the service ever issued is in a text that surely holds the conversation. */
export function expectNoSecret({ ledger }: Sandbox, text: string): void {
  expect(text).toContain('auth_register')
  expect(text).toContain('cred_')
  const secrets = ledger.map(({ value }) => value)
  expect(secrets.length).toBeGreaterThan(1)
  const forms = secrets.flatMap((one) => [
    one,
    encodeURIComponent(one),
    Buffer.from(one).toString('base64').replace(/=+$/, ''),
    Buffer.from(one).toString('hex'),
  ])
  expect(forms.filter((form) => text.includes(form))).toEqual([])
}

/** Waits for what comes soon, without saying when. */
export async function until<T>(look: () => T | undefined | false): Promise<T> {
  for (let left = 3000; left > 0; left--) {
    const found = look()
    if (found) return found
    await sleep(10)
  }
  throw new Error(`never came: ${look}`)
}
