import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Sandbox, startSandbox } from '@authmd/sandbox'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { until } from './wire.ts'
import { effects, solution } from './world.ts'

let sandbox: Sandbox
let child: ChildProcessWithoutNullStreams
let lines: { id?: number; method?: string; result?: { content?: { text: string }[] } }[]
let errors: string
beforeEach(async () => {
  sandbox = await startSandbox()
  const script = `${import.meta.dirname}/stdio-server.ts`
  child = spawn(process.execPath, ['--conditions=@authmd/source', script, sandbox.urls.mail])
  lines = []
  errors = ''
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts.map((line) => JSON.parse(line)))
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk
  })
})
afterEach(async () => {
  child.kill('SIGKILL')
  await sandbox.close()
})

const write = (message: object) =>
  void child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)

async function begin(): Promise<void> {
  const capabilities = { elicitation: { form: {} } }
  const clientInfo = { name: 'test', version: '1' }
  const params = { protocolVersion: '2025-11-25', capabilities, clientInfo }
  write({ id: 1, method: 'initialize', params })
  await result(1)
  write({ method: 'notifications/initialized' })
}

async function result(id: number): Promise<string> {
  const { result: found } = await until(() => lines.find((line) => line.id === id && line.result))
  return found?.content?.[0]?.text ?? ''
}

/** Up to where the person is asked. */
async function askThePerson(): Promise<void> {
  await begin()
  const call = (id: number, args: object) => {
    write({ id, method: 'tools/call', params: { name: 'auth_register', arguments: args } })
  }
  call(2, { service: sandbox.urls.api })
  call(3, solution({ sandbox }, await result(2)))
  await until(() => lines.some(({ method }) => method === 'elicitation/create'))
}

test('a client that closes the pipe while the person thinks: the server ends, nothing is done', async () => {
  await askThePerson()
  child.stdin.end()
  const [code] = await once(child, 'exit')
  expect([code, errors]).toEqual([0, ''])
  expect(effects({ sandbox })).toEqual([])
})

test('a client that is killed: the same, although nobody reads any more', async () => {
  await askThePerson()
  child.stdout.destroy()
  // Its answer cannot be written, which must not be the end of what is being done.
  write({ id: 9, method: 'tools/list' })
  child.stdin.end()
  const [code] = await once(child, 'exit')
  expect([code, errors]).toEqual([0, ''])
  expect(effects({ sandbox })).toEqual([])
})

test('lines that are no messages change nothing', async () => {
  await begin()
  child.stdin.write('no JSON\n{"jsonrpc":"2.0"}\n\n')
  write({ id: 4, method: 'tools/call', params: { name: 'auth_discover', arguments: {} } })
  expect(await result(4)).toMatch(/^found/)
})
