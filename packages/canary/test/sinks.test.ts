import { execFileSync, execSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSandbox } from '@authmd/sandbox'
import { beforeEach, describe, expect, test } from 'vitest'
import { AuthError, authTools, createAgentAuth, memoryStore } from '../../core/src/node/main.ts'
import { Canary, canary, encodings } from '../src/index.ts'

const secret = 'made-up/canary+0001&"é'
// Nothing of this file's own must be found: what is planted is searched for, and forgotten, in each test.
beforeEach(() => {
  canary.search()
  canary.watch(secret)
})

const found = () => [...new Set(canary.search().map(({ sink }) => sink))]
const node = process.execPath

test('nothing is found where nothing leaked', () => {
  console.log('made-up/canary+0002')
  expect(canary.search()).toEqual([])
})

describe('a secret is found in', () => {
  test.each(encodings(secret).map((form) => [form]))('a text, as %s', (form) => {
    for (const before of ['', 'x', 'long enough to begin at any place']) {
      canary.watch(secret)
      canary.see('prompt', `${before}${form}y`)
      expect(found()).toEqual(['prompt'])
    }
  })

  test.each([0, 1, 2, 3])('base64 and base64url, %i bytes into a longer text', (offset) => {
    for (const form of ['base64', 'base64url'] as const) {
      canary.watch(secret)
      canary.see('prompt', Buffer.from(`${'x'.repeat(offset)}${secret}yyy`).toString(form))
      expect(found()).toEqual(['prompt'])
    }
  })

  test('headers and bodies of requests to another server than the one that issued it', async () => {
    await using sandbox = await startSandbox()
    const issuer = sandbox.port
    const server = createServer((_, response) => response.end()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const issued = () =>
      canary.issued({ kind: 'api_key', value: secret, port: issuer }, 'a sandbox')
    const url = `http://127.0.0.1:${port}/`
    const requests: readonly (() => Promise<unknown>)[] = [
      () => fetch(url, { headers: { 'x-key': encodeURIComponent(secret) } }),
      () => fetch(url, { method: 'POST', body: JSON.stringify({ secret }) }),
      () => once(get(url, { headers: { 'x-key': encodeURIComponent(secret) } }), 'response'),
    ]
    for (const send of requests) {
      issued()
      await send()
      expect(found()).toEqual(['request to another server'])
    }
    issued()
    await fetch(sandbox.urls.mail.replace(/[a-z.]*localhost/, '127.0.0.1'), {
      headers: { 'x-key': encodeURIComponent(secret) },
    })
    expect(found()).toEqual([])
    issued()
    canary.handedOver(url)
    await fetch(url, { method: 'POST', body: JSON.stringify({ secret }) })
    expect(found()).toEqual([])
    server.close()
  })

  test('what is only printed, only copied, only serialised', () => {
    const hidden = { toJSON: () => ({}) }
    const only = [
      Object.assign({ secret }, hidden),
      new Map([[secret, 1]]),
      { [Symbol.for('nodejs.util.inspect.custom')]: () => '', toJSON: () => secret },
      { [Symbol.toPrimitive]: () => secret, [Symbol.for('nodejs.util.inspect.custom')]: () => '' },
      new Error('x', { cause: new Error('y', { cause: { secret } }) }),
    ]
    for (const value of only) {
      canary.watch(secret)
      canary.see('span', value)
      expect(found()).toEqual(['span'])
    }
  })

  test.each(['prompt', 'stream chunk', 'checkpoint', 'snapshot', 'span', 'event', 'tool output'])(
    'a %s that a test hands over',
    (sink) => {
      canary.see(sink, { messages: [{ content: `x ${secret}` }] })
      expect(canary.search()).toEqual([
        { sink, secret: 'a watched value', test: expect.stringContaining(sink) },
      ])
    },
  )

  test.each(['log', 'info', 'debug', 'warn', 'error', 'dir', 'table', 'trace'] as const)(
    'console.%s',
    (name) => {
      console[name]({ secret })
      expect(found()).toContain('console')
    },
  )

  test.each(['stdout', 'stderr'] as const)('%s of the process', (name) => {
    process[name].write(Buffer.from(`${secret}\n`))
    expect(found()).toEqual([name])
  })

  test('the environment of the process', () => {
    process.env.MADE_UP = secret
    expect(found()).toContain('environment')
    delete process.env.MADE_UP
  })

  test.each(['spawn', 'spawnSync', 'execFileSync', 'execSync'] as const)(
    'arguments, environment and output of %s',
    async (how) => {
      const script = 'process.stdout.write(process.env.A); process.stderr.write(process.argv[1])'
      const run = async (args: string[], env: NodeJS.ProcessEnv) => {
        if (how === 'spawnSync') return void spawnSync(node, args, { env })
        if (how === 'execFileSync') return void execFileSync(node, args, { env })
        if (how === 'execSync') {
          const words = [node, ...args].map((one) => `'${one}'`)
          return void execSync(words.join(' '), { env })
        }
        const child = spawn(node, args, { env })
        child.stdout.resume()
        child.stderr.resume()
        await once(child, 'close')
      }
      await run(['-e', script, secret], { A: 'nothing' })
      // These two write a child's stderr on to our own.
      const stderr = how.startsWith('exec') ? 'stderr' : 'child stderr'
      expect(found().sort()).toEqual(['argv', stderr])
      canary.watch(secret)
      await run(['-e', script, 'nothing'], { A: secret })
      expect(found().sort()).toEqual(['child environment', 'child stdout'])
    },
  )

  test('output of a child that comes in two pieces', async () => {
    const halves = [secret.slice(0, 9), secret.slice(9)].map((it) => JSON.stringify(it))
    const script = `process.stdout.write(${halves[0]}); setTimeout(() => process.stdout.write(${halves[1]}), 50)`
    const child = spawn(node, ['-e', script])
    child.stdout.resume()
    await once(child, 'close')
    expect(found()).toEqual(['child stdout'])
  })

  test('addresses that are asked, by fetch and by http', async () => {
    const server = createServer((_request, response) => response.end()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const url = `http://127.0.0.1:${port}/?key=${encodeURIComponent(secret)}`
    await fetch(url)
    expect(found()).toEqual(['URL'])
    canary.watch(secret)
    get(url).once('response', (response) => response.resume())
    await once(server, 'request')
    expect(found()).toEqual(['URL'])
    canary.watch(secret)
    await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization: `Bearer ${btoa('x')}` } })
    expect(found()).toEqual([])
    server.close()
  })

  test('files below a temporary folder, left or removed, and their names', async () => {
    const removed = await mkdtemp(join(tmpdir(), 'authmd-canary-test-'))
    await writeFile(join(removed, 'a'), `x${secret}`)
    await rm(removed, { recursive: true })
    expect(found()).toEqual(['file'])

    canary.watch(secret)
    const left = mkdtempSync(join(tmpdir(), 'authmd-canary-test-'))
    mkdirSync(join(left, 'b'))
    writeFileSync(join(left, 'b', 'c'), Buffer.from(secret).toString('hex'))
    expect(found()).toEqual(['file'])

    canary.watch(secret)
    canary.folder(left)
    rmSync(join(left, 'b'), { recursive: true })
    writeFileSync(join(left, Buffer.from(secret).toString('base64url')), '')
    canary.search()
    canary.watch(secret)
    canary.folder(left)
    rmSync(left, { recursive: true })
    expect(found()).toEqual(['file'])
  })

  test('outcomes, errors, causes and tool texts of core, whoever asks for them', async () => {
    const auth = createAgentAuth({
      store: memoryStore(),
      identity: () => {
        throw new AuthError('mailbox_failed', 'no', { cause: { secret } })
      },
    })
    const session = auth.as({ tenant: 'acme' })
    const service = 'https://svc.example'
    const held = { service, audience: service, secret: 'made-up-key-0001' }
    await session.import(held)
    expect(found()).toEqual([])

    canary.watch(held.secret)
    canary.watch('svc.example')
    await session.list()
    expect(found()).toEqual(['outcome'])

    canary.watch('cred_made_up')
    await session.revoke({ credential: 'cred_made_up' }).catch(() => {})
    expect(found()).toEqual(['error'])

    canary.watch('cred_made_up')
    await authTools
      .find(({ verb }) => verb === 'revoke')
      ?.run(session, { credential: 'cred_made_up' }, { channel: 'code' })
    expect(found()).toContain('tool output')
  })
})

describe('what is searched for', () => {
  test('is every secret that a sandbox in this process issues', async () => {
    await using sandbox = await startSandbox()
    const response = await fetch(`http://127.0.0.1:${sandbox.port}/api/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-host': 'x' },
      body: '{}',
    })
    await response.body?.cancel()
    const { request } = await import('node:http')
    const { host } = new URL(sandbox.urls.portal)
    const sent = request({
      host: '127.0.0.1',
      port: sandbox.port,
      path: '/api/sign-in',
      method: 'POST',
      headers: { host, 'content-type': 'application/json' },
    })
    sent.end(JSON.stringify({ email: 'kim@operator.test' }))
    const [answer] = await once(sent, 'response')
    answer.resume()
    const [issued] = sandbox.ledger
    expect(issued).toBeDefined()
    canary.see('prompt', { text: issued?.value })
    const [finding] = canary.search()
    expect(finding).toMatchObject({ sink: 'prompt', secret: `${issued?.kind} of a sandbox` })
    expect(JSON.stringify(finding)).not.toContain(issued?.value)
  })

  test('is every secret that a sandbox in a process of ours issues', async () => {
    const sandbox = new URL('../../sandbox/src/ledger.ts', import.meta.url)
    const script = `const { Ledger } = await import(${JSON.stringify(sandbox)}); const { value } = new Ledger({ now: () => 0 }, () => 1).issue({ kind: 'session', value: 'made-up-in-a-child', account: 'a', request: 1 }); console.log(value)`
    spawnSync(node, ['--input-type=module', '-e', script])
    expect(canary.search()).toEqual([
      expect.objectContaining({
        sink: 'argv',
        secret: 'session of a sandbox in another process',
      }),
      expect.objectContaining({ sink: 'child stdout' }),
    ])
  })

  test('may be in an address where the service itself puts it there, and nowhere else', () => {
    const own = new Canary()
    for (const [kind, sinks] of [
      ['mail_link_token', ['prompt']],
      ['session', ['URL', 'prompt']],
    ] as const) {
      own.issued({ kind, value: 'made-up-token-0001' }, 'a sandbox')
      own.see('URL', 'http://svc.test/?token=made-up-token-0001')
      own.see('prompt', 'made-up-token-0001')
      expect(own.search().map(({ sink }) => sink)).toEqual(sinks)
    }
  })

  test('is not what is too short, and is forgotten with the file', () => {
    canary.watch('1234567')
    canary.see('prompt', '1234567')
    expect(canary.search()).toEqual([])
    canary.see('prompt', secret)
    expect(canary.search()).toEqual([])
  })

  test('can be left out for one file, with a reason', () => {
    const own = new Canary()
    expect(() => own.off('')).toThrow(TypeError)
    own.off('it prints keys on purpose')
    own.watch(secret)
    own.see('prompt', secret)
    expect(own.search()).toEqual([])
    own.watch(secret)
    own.see('prompt', secret)
    expect(own.search()).toHaveLength(1)
  })

  test('may be many things in much text', () => {
    const own = new Canary()
    for (let n = 0; n < 500; n++) own.watch(`made-up-secret-number-${n}-of-many`)
    own.see('file', `${'x'.repeat(5_000_000)}made-up-secret-number-77-of-many`)
    // Nothing is measured: were each form looked for by itself, the test would run into its time limit.
    expect(own.search()).toHaveLength(1)
  })
})
