import assert from 'node:assert/strict'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { basename, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { blocksOf, root } from './pages.ts'

type Child = ChildProcessWithoutNullStreams

/** The pages of `docs` that a new user begins with. */
export const startPages: readonly string[] = globSync('start-*.md', { cwd: join(root, 'docs') })
  .map((file) => basename(file, '.md'))
  .sort()

/** What stands for the reader's terminal. */
export interface Terminal {
  /** Starts a program of `sh`. */
  start(cwd: string, program: string): Child
  /** Ctrl-C, while the program goes on. */
  interrupt(child: Child): void
}

/**
 * Goes through a page as its reader does: each command in `sh`, each file as it stands, each answer as the page gives
 * it. Throws where something else is printed than the page says.
 *
 * @param dir where the reader begins: empty
 */
export async function walk(page: string, dir: string, terminal: Terminal): Promise<void> {
  const port = await freePort()
  const blocks = blocksOf(`docs/${page}.md`).map((block) => ({
    ...block,
    text: block.text.replaceAll('8787', String(port)),
  }))
  const running: Child[] = []
  let cwd = dir
  let settings = ''
  let printed = ''
  let ran = 0
  try {
    for (const [at, { language, name, text }] of blocks.entries()) {
      if (language === 'ts' && name !== undefined) writeFileSync(join(cwd, name), text)
      if (language !== 'sh') continue
      if (text.includes('authmd sandbox')) {
        // Without `exec` the shell would stand between us and what it has started.
        const child = terminal.start(cwd, `exec ${text}`)
        running.push(child)
        await until(child, 'Ctrl-C ends it.')
      } else if (text.includes('npm install')) {
        const there = join(dir, 'where')
        await output(terminal.start(cwd, `${text}pwd > '${there}'`), [])
        cwd = readFileSync(there, 'utf8').trim()
      } else if (text.startsWith('export ')) {
        settings += text
      } else {
        const { language: after, text: said = '' } = blocks[at + 1] ?? {}
        assert.equal(after, 'text', `what follows on ${text}`)
        // The handle that the reader has been shown last.
        const command = text.replace(/(cred|reg)_…/g, (_, kind) => {
          return printed.match(new RegExp(`${kind}_[\\w-]+`, 'g'))?.at(-1) ?? ''
        })
        const run = text.startsWith('npx authmd') ? atTerminal(settings + command) : command
        const shown = await output(terminal.start(cwd, run), answersIn(said))
        assert.match(shown.trim().replace(/\s+/g, ' '), patternOf(said))
        printed += shown
        ran += 1
      }
    }
    assert.equal(ran, blocks.filter(({ language }) => language === 'text').length)
    const secrets = (await control(port, '/ledger')) as { value: string }[]
    assert.ok(secrets.length > 1)
    assert.deepEqual(
      secrets.filter(({ value }) => printed.includes(value)),
      [],
    )
    const log = (await control(port, '/log')) as { method: string; path: string }[]
    const used = log.filter(({ path }) => path === '/api/resource').map(({ method }) => method)
    assert.ok(used.includes('GET'))
    assert.ok(!used.includes('POST'), 'what was said no to')
  } finally {
    for (const child of running) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const ended = once(child, 'close')
      terminal.interrupt(child)
      await ended
    }
  }
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

/** Resolves when the program, which goes on, has printed the text. */
function until(child: Child, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    const hear = (chunk: unknown) => {
      said += chunk
      if (said.includes(text)) resolve()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('error', reject)
    child.once('close', () => reject(new Error(`it ended: ${said}`)))
  })
}

/** The command at a pseudo-terminal, where it asks. */
function atTerminal(command: string): string {
  return `script -qec '${command.replaceAll("'", "'\\''")}' /dev/null`
}

/** All that a program leaves to be read. Each question gets the next answer. Fails unless it ends well. */
function output(child: Child, answers: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let [stdout, stderr] = ['', '']
    let answered = 0
    // A line that says what is being done, ours or npm's, is erased when that is done.
    const left = (line: string) =>
      line.replaceAll('\x1b[1G\x1b[0K', '\r\x1b[K').split('\r\x1b[K').at(-1)
    const shown = () => stripVTControlCharacters(stdout.split('\n').map(left).join('\n'))
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk
      const asked = shown().match(/[[(]y\/N[)\]] /g)?.length ?? 0
      // What the page does not answer gets an Enter, which is a no.
      while (answered < asked) child.stdin.write(answers[answered++] ?? '\n')
    })
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    child.once('error', reject)
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
