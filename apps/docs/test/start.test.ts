import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { noTerminal } from '../../../packages/cli/test/cli.ts'
import { type Block, blocksOf, read, root } from './pages.ts'

const here = join(import.meta.dirname, '../.report/start')
const bin = join(here, 'bin')
const running: ChildProcess[] = []

/** `node` sees our sources, and `npx authmd` is the command line that the page has installed or that an MCP client gets. */
beforeAll(() => {
  rmSync(here, { recursive: true, force: true })
  mkdirSync(bin, { recursive: true })
  const node = `exec '${process.execPath}' --conditions=@authmd/source`
  const main = join(root, 'packages/cli/src/main.ts')
  const script = (name: string, lines: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 })
  script('node', `${node} "$@"`)
  script(
    'npx',
    `[ "$1 $2" = '-y @authmd/cli' ] && shift || [ "$1" = authmd ] || exit 127\nshift\n${node} '${main}' "$@"`,
  )
})

afterEach(async () => {
  for (const child of running.splice(0)) {
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGINT')
    await ended
  }
})

test.for(['start-ai-sdk', 'start-cli', 'start-langchain', 'start-mastra'])(
  '%s, from an empty project to the end, prints what it says',
  async (page, { skip }) => {
    skip(page === 'start-cli' && noTerminal !== undefined, noTerminal)
    const dir = join(here, page)
    mkdirSync(dir)
    const port = await freePort()
    const blocks = blocksOf(`docs/${page}.md`).map((block) => ({
      ...block,
      text: block.text.replaceAll('8787', String(port)),
    }))
    let settings = ''
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
      } else if (text.startsWith('export ')) {
        settings += text
      } else {
        const { language: after, text: said = '' } = blocks[at + 1] ?? {}
        expect(after, `what follows on ${text}`).toBe('text')
        // The handle that the reader has been shown last.
        const command = text.replace(/(cred|reg)_…/g, (_, kind) => {
          return printed.match(new RegExp(`${kind}_[\\w-]+`, 'g'))?.at(-1) ?? ''
        })
        const run = text.startsWith('npx authmd') ? atTerminal(settings + command) : command
        const shown = await output(start(dir, run, { timeout: 25_000 }), answersIn(said))
        expect(shown.trim().replace(/\s+/g, ' ')).toMatch(patternOf(said))
        printed += shown
        ran += 1
      }
    }
    expect(ran).toBe(blocks.filter(({ language }) => language === 'text').length)
    const secrets = (await control(port, '/ledger')) as { value: string }[]
    expect(secrets.length).toBeGreaterThan(1)
    expect(secrets.filter(({ value }) => printed.includes(value))).toEqual([])
    const log = (await control(port, '/log')) as { method: string; path: string }[]
    const used = log.filter(({ path }) => path === '/api/resource').map(({ method }) => method)
    expect(used).toContain('GET')
    expect(used, 'what was said no to').not.toContain('POST')
  },
)

test('an MCP client that is given the JSON of the page gets the tools that the page names', async () => {
  const page = 'docs/start-cli.md'
  const dir = join(here, 'mcp')
  mkdirSync(dir)
  const [json = ''] = blocksOf(page).flatMap(({ language, text }) =>
    language === 'json' ? [text.replaceAll('/home/kim/my-agent', dir)] : [],
  )
  const { command, args, env } = JSON.parse(json).mcpServers.authmd
  const client = new Client({ name: 'test', version: '1.0.0' })
  const cwd = join(here, 'bin')
  const transport = new StdioClientTransport({ command, args, cwd, env: { ...envOf(dir), ...env } })
  try {
    await client.connect(transport, { timeout: 30_000 })
    const { tools } = await client.listTools()
    const named = new Set(read(page).match(/\bauth_\w+/g))
    expect(tools.map(({ name }) => name).sort()).toEqual([...named].sort())
  } finally {
    await client.close()
  }
})

/** The packages that a block of the page installs, and those that its programs and commands need. */
function installed(text: string): readonly string[] {
  const [, names = ''] = /npm install (.*)/.exec(text) ?? []
  return names.split(' ').sort()
}

function needed(blocks: readonly Block[]): readonly string[] {
  const imported = blocks.flatMap(({ text }) => [...text.matchAll(/ from '([^.'][^']*)'/g)])
  const names = imported.map(([, name = '']) => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? '')
  // Peers that no block imports.
  const all = new Set([...names.filter((name) => !name.startsWith('node:')), '@authmd/cli'])
  if (all.has('@authmd/core')) all.add('zod')
  if (all.has('langchain')) all.add('@langchain/core')
  return [...all].sort()
}

/** What the page has its reader answer: what stands behind a question. */
function answersIn(said: string): readonly string[] {
  return [...said.matchAll(/[[(]y\/N[)\]] (\w+)$/gm)].map(([, answer]) => `${answer}\n`)
}

/** What is printed where the answers come from a pipe; `…` is what differs from time to time. */
function patternOf(said: string): RegExp {
  const text = said.replace(/^(Agree\? \[y\/N\]) \w+$/gm, '$1')
  const parts = text
    .trim()
    .split('…')
    .map((part) => escaped(part.replace(/\s+/g, ' ')))
  return new RegExp(`^${parts.join('.*?')}$`)
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Of a home of its own: nothing that the machine has set reaches the program, and nothing of it is left there. */
function envOf(home: string): Record<string, string> {
  const { PATH, NODE_COMPILE_CACHE = '' } = process.env
  return { PATH: `${bin}${delimiter}${PATH}`, HOME: home, NODE_COMPILE_CACHE, NO_COLOR: '1' }
}

function start(cwd: string, command: string, options: SpawnOptions = {}): ChildProcess {
  // Without `exec` the shell would stand between us and what it has started.
  return spawn('sh', ['-c', `exec ${command}`], { ...options, cwd, env: envOf(cwd) })
}

/** The command at a pseudo-terminal, where it asks. */
function atTerminal(command: string): string {
  return `script -qec '${command.replaceAll("'", "'\\''")}' /dev/null`
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

/** All that a program leaves to be read. Each question gets the next answer. Fails unless it ends well. */
function output(child: ChildProcess, answers: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let [stdout, stderr] = ['', '']
    let answered = 0
    // A line that says what is being done is erased when that is done.
    const left = (line: string) => line.split('\r\x1b[K').at(-1)
    const shown = () => stripVTControlCharacters(stdout.split('\n').map(left).join('\n'))
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk
      const asked = shown().match(/[[(]y\/N[)\]] /g)?.length ?? 0
      // What the page does not answer gets an Enter, which is a no.
      while (answered < asked) child.stdin?.write(answers[answered++] ?? '\n')
    })
    child.stderr?.on('data', (chunk) => {
      stderr += chunk
    })
    child.once('close', (code) => {
      if (code === 0) resolve(shown())
      else reject(new Error(`it ended with ${code}:\n${stdout}\n${stderr}`))
    })
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
