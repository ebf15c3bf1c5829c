import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const root = join(import.meta.dirname, '..')

test('the first example of the README runs, and prints a link that works', async () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? []
  mkdirSync(join(root, '.report'), { recursive: true })
  const cwd = mkdtempSync(join(root, '.report/readme-'))
  onTestFinished(() => rmSync(cwd, { recursive: true }))
  writeFileSync(join(cwd, 'example.ts'), code)
  const env = { ...process.env, AUTHMD_KEY: '0123456789abcdef'.repeat(4) }
  const args = ['--conditions=@authmd/source', 'example.ts']
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  for await (const piece of child.stdout.setEncoding('utf8')) {
    said += piece
    if (said.includes('\n')) break
  }
  expect((await fetch(said.trim(), { redirect: 'manual' })).status).toBe(303)
})
