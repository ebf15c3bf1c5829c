import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { send } from '../test/client.ts'
import { startSandbox } from './sandbox.ts'

const cli = fileURLToPath(new URL('./cli.ts', import.meta.url))

function run(...args: string[]) {
  const child = spawn(process.execPath, ['--conditions=@authmd/source', cli, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  return { child, output: () => output }
}

test('starts, says where everything is, and ends with Ctrl-C', async () => {
  const { child, output } = run('--port', '0', '--auth-md', 'v0.1', '--auth-md', 'readback')
  try {
    await expect.poll(output).toContain('Ctrl-C ends it.')
    const port = output().match(/http:\/\/api\.telnyx\.localhost:(\d+)/)?.[1]
    const { status } = await send('GET', `http://developers.telnyx.localhost:${port}/auth.md`)
    expect(status).toBe(200)
    expect(output()).toContain(`http://api.v0-1.localhost:${port}`)
    expect(output()).toContain(`http://api.readback.localhost:${port}`)
    expect(output()).toContain(`http://control.localhost:${port}`)
  } finally {
    child.kill('SIGINT')
  }
  expect(await once(child, 'exit')).toEqual([0, null])
})

test('a port that cannot be is refused', async () => {
  const { child, output } = run('--port', 'many')
  expect(await once(child, 'close')).toEqual([1, null])
  expect(output()).toBe('--port is 0 to 65535\n')
})

test('a port that something else has is said, and what to do then', async () => {
  await using sandbox = await startSandbox()
  const { child, output } = run('--port', `${sandbox.port}`)
  expect(await once(child, 'close')).toEqual([1, null])
  expect(output()).toBe(
    `Port ${sandbox.port} is taken. Name another with --port; 0 takes any free one.\n`,
  )
})
