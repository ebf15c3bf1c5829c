import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { type Block, blocksOf, root } from './pages.ts'

const here = join(import.meta.dirname, '../.report/start')
const bin = join(here, 'bin')
const running: ChildProcess[] = []

/** `node` sees our sources, and `npx authmd` is the command line that the page has installed. */
beforeAll(() => {
  rmSync(here, { recursive: true, force: true })
  mkdirSync(bin, { recursive: true })
  const node = `exec '${process.execPath}' --conditions=@authmd/source`
  const main = join(root, 'packages/cli/src/main.ts')
  const script = (name: string, lines: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 })
  script('node', `${node} "$@"`)
  script('npx', `[ "$1" = authmd ] || exit 127\nshift\n${node} '${main}' "$@"`)
})

afterEach(async () => {
  for (const child of running.splice(0)) {
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGINT')
    await ended
  }
})

test.each(['start-ai-sdk', 'start-langchain', 'start-mastra'])(
  '%s, from an empty project to the end, prints what it says',
  async (page) => {
    const dir = join(here, page)
    mkdirSync(dir)
    const port = await freePort()
    const blocks = blocksOf(`docs/${page}.md`).map((block) => ({
      ...block,
      text: block.text.replaceAll('8787', String(port)),
    }))
    let printed = ''
    let ran = 0
    for (const [at, block] of blocks.entries()) {
      const { language, name, text } = block
      if (language === 'ts' && name !== undefined) writeFileSync(join(dir, name), text)
      if (language !== 'sh') continue
      if (text.includes('npm install')) {
        expect(installed(text)).toEqual(needed(blocks))
      } else if (text.includes('authmd sandbox')) {
        await until(start(dir, text), 'Ctrl-C ends it.')
      } else {
        const { language: after, text: said = '' } = blocks[at + 1] ?? {}
        expect(after, `what follows on ${text}`).toBe('text')
        printed = await output(start(dir, text), answersIn(said))
        expect(printed.replace(/\s+/g, ' ')).toMatch(patternOf(said))
        ran += 1
      }
    }
    expect(ran).toBe(1)
    const secrets = (await control(port, '/ledger')) as { value: string }[]
    expect(secrets.length).toBeGreaterThan(1)
    expect(secrets.filter(({ value }) => printed.includes(value))).toEqual([])
    const log = (await control(port, '/log')) as { method: string; path: string }[]
    const used = log.filter(({ path }) => path === '/api/resource').map(({ method }) => method)
    expect(used).toContain('GET')
    expect(used, 'what was said no to').not.toContain('POST')
  },
)

/** The packages that a block of the page installs, and those that its programs and commands need. */
function installed(text: string): readonly string[] {
  const [, names = ''] = /npm install (.*)/.exec(text) ?? []
  return names.split(' ').sort()
}

function needed(blocks: readonly Block[]): readonly string[] {
  const imported = blocks.flatMap(({ text }) => [...text.matchAll(/ from '([^.'][^']*)'/g)])
  const names = imported.map(([, name = '']) => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? '')
  // Peers that no block imports.
  const all = new Set([...names.filter((name) => !name.startsWith('node:')), '@authmd/cli', 'zod'])
  if (all.has('langchain')) all.add('@langchain/core')
  return [...all].sort()
}

/** What the page has its reader answer: what stands behind a question. */
function answersIn(said: string): string {
  return [...said.matchAll(/^Agree\? \[y\/N\] (\w+)$/gm)]
    .map(([, answer]) => `${answer}\n`)
    .join('')
}

/** What is printed where the answers come from a pipe; `…` is what differs from time to time. */
function patternOf(said: string): RegExp {
  const text = said.replace(/^(Agree\? \[y\/N\]) \w+$/gm, '$1')
  const parts = text.split('…').map((part) => escaped(part.replace(/\s+/g, ' ')))
  return new RegExp(`^${parts.join('.*?')}$`)
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

function start(cwd: string, command: string): ChildProcess {
  const { NODE_OPTIONS, ...env } = process.env
  const PATH = `${bin}${delimiter}${env.PATH}`
  // Without `exec` the shell would stand between us and what it has started.
  return spawn('sh', ['-c', `exec ${command}`], { cwd, env: { ...env, PATH, NO_COLOR: '1' } })
}

/** Resolves when the program, which goes on, has printed the text. */
function until(child: ChildProcess, text: string): Promise<void> {
  running.push(child)
  return new Promise((resolve, reject) => {
    let said = ''
    const hear = (chunk: unknown) => {
      said += chunk
      if (said.includes(text)) resolve()
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    child.once('close', () => reject(new Error(`it ended: ${said}`)))
  })
}

/** All that a program prints. Fails unless it ends well. */
function output(child: ChildProcess, answers: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let [stdout, stderr] = ['', '']
    child.stdout?.on('data', (chunk) => {
      stdout += chunk
    })
    child.stderr?.on('data', (chunk) => {
      stderr += chunk
    })
    child.once('close', (code) => {
      if (code === 0) resolve(stdout)
      else reject(new Error(`it ended with ${code}:\n${stdout}\n${stderr}`))
    })
    child.stdin?.end(answers)
  })
}

/** Asks the sandbox's control host, by the address that it has on every machine. */
function control(port: number, path: string): Promise<unknown> {
  const headers = { host: `control.localhost:${port}` }
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers }, async (response) => {
      resolve(JSON.parse((await response.toArray()).join('')))
    })
      .on('error', reject)
      .end()
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
