import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Sandbox, startSandbox } from '@authmd/sandbox'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { doctor } from '../src/index.ts'
import { keyPage } from './texts.ts'

const dir = mkdtempSync(join(tmpdir(), 'authmd-doctor-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function file(name: string, text: string | Buffer): string {
  const path = join(dir, name)
  writeFileSync(path, text)
  return path
}

/** The command with its output as text. */
async function run(target: string, options: Parameters<typeof doctor>[1] = {}) {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await doctor(target, {
    ...options,
    out: { write: (text) => out.push(text) },
    err: { write: (text) => err.push(text) },
  })
  return { code, out: out.join(''), err: err.join('') }
}

const good = file('good.md', keyPage('https://api.things.test'))
const hint = file('hint.md', keyPage('https://api.things.test').replace('# auth.md', '# Things'))
const wrong = file('wrong.md', keyPage('http://api.things.test'))

describe('the exit code', () => {
  it.each([
    [good, {}, 0],
    [good, { failOn: 'hint' }, 0],
    [hint, {}, 0],
    [hint, { failOn: 'warning' }, 0],
    [hint, { failOn: 'hint' }, 1],
    [wrong, {}, 1],
    [wrong, { failOn: 'never' }, 0],
  ] as const)('%s with %o is %i', async (path, options, expected) => {
    const { code, err } = await run(path, options)
    expect({ code, err }).toEqual({ code: expected, err: '' })
  })

  it.each([
    ['there is no file', join(dir, 'none.md'), {}],
    ['a URL begins with https://', 'api.things.test', {}],
    ['is no file', dir, {}],
    ['is no text', file('binary.md', Buffer.from([0x23, 0, 1, 2])), {}],
    ['there is no file', '', {}],
    ['is not https', 'http://api.things.test', {}],
    ['is refused', 'https://10.0.0.1/auth.md', {}],
    ['failOn is', good, { failOn: 'fatal' as never }],
    ['not an absolute URL', good, { publishedAt: 'nowhere' }],
  ])('is 2 where it says that %s', async (words, target, options) => {
    const { code, out, err } = await run(target, options)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^doctor: [^\n]*\n$/)
    expect(err).toContain(words)
  })
})

it('reads a huge file only as far as a reader would', async () => {
  const { code, out } = await run(
    file('huge.md', `${keyPage('https://api.things.test')}\n${'word '.repeat(1_000_000)}`),
    { json: true },
  )
  expect(code).toBe(0)
  expect(JSON.parse(out).findings).toMatchObject([{ rule: 'document-cut' }])
})

it('places what it finds in a file at the address where that is published', async () => {
  const { out } = await run(wrong, { json: true, publishedAt: 'https://things.test/auth.md' })
  const { target, findings } = JSON.parse(out)
  expect(target).toBe('https://things.test/auth.md')
  expect(findings[0].place).toEqual({ url: 'https://things.test/auth.md', line: 9 })
})

describe('as a program', () => {
  let sandbox: Sandbox
  beforeAll(async () => {
    sandbox = await startSandbox()
  })
  afterAll(() => sandbox.close())

  function program(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
    const { promise, resolve } = Promise.withResolvers<{
      code: number | null
      out: string
      err: string
    }>()
    const child = spawn(
      process.execPath,
      ['--conditions=@authmd/source', join(import.meta.dirname, 'run.ts'), ...args],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    const [out, err]: [string[], string[]] = [[], []]
    child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => err.push(text))
    child.on('close', (code) => resolve({ code, out: out.join(''), err: err.join('') }))
    return promise
  }

  it('checks a service, in plain words in a pipe', async () => {
    const { code, out, err } = await program(sandbox.urls.api)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain('no errors, no warnings, no hints')
    expect(out).not.toContain('\u001b')
  })

  it('checks a file and fails a build', async () => {
    const { code, out } = await program(wrong, '--markdown', '--fail-on', 'warning')
    expect(code).toBe(1)
    expect(out).toContain('### endpoint-http')
  })
})
