import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { beforeAll, expect, test } from 'vitest'
import { noTerminal } from '../../../packages/cli/test/cli.ts'
import { blocksOf, read, root } from './pages.ts'
import { startPages, walk } from './walk.ts'

const here = join(import.meta.dirname, '../.report/start')
const bin = join(here, 'bin')

/**
 * `node` sees our sources, and `npx authmd` is the command line that the page has installed or that an MCP client
 * gets. `npm` installs nothing: it writes down what it is asked. The rehearsal of a release goes the same way with the real ones.
 */
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
  script('npm', 'echo "$@" >> "$HOME/asked"')
})

test.for(startPages)(
  '%s, from an empty project to the end, prints what it says',
  async (page, { skip }) => {
    skip(page === 'start-cli' && noTerminal !== undefined, noTerminal)
    const dir = join(here, page)
    mkdirSync(dir)
    const env = envOf(dir)
    await walk(page, dir, {
      start: (cwd, program) =>
        // Ended before the test is, so that it can show what it has printed.
        spawn('sh', ['-ec', program], { cwd, env, timeout: 50_000, killSignal: 'SIGINT' }),
      interrupt: (child) => child.kill('SIGINT'),
    })
    const [, names = ''] = /^install (.*)$/m.exec(readFileSync(join(dir, 'asked'), 'utf8')) ?? []
    expect(names.split(' ').sort()).toEqual(needed(page))

    // Whoever has not started the services is told so, by the same program.
    const cwd = join(dir, 'my-agent')
    if (page === 'start-cli') return
    const args = ['--conditions=@authmd/source', 'agent.mts']
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd, env, input: '' })
    expect([status, `${stderr}`]).toEqual([0, ''])
    expect(`${stdout}`).toMatch(
      /^\s*auth_discover: error network_failed: [^\n]+ cannot be reached\n/,
    )
    expect(`${stdout}`).not.toContain('auth_revoke')
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

/** Of a home of its own: nothing that the machine has set reaches the program, and nothing of it is left there. */
function envOf(home: string): Record<string, string> {
  const { PATH, NODE_COMPILE_CACHE = '' } = process.env
  return { PATH: `${bin}${delimiter}${PATH}`, HOME: home, NODE_COMPILE_CACHE, NO_COLOR: '1' }
}

/** The packages that the programs and commands of a page need. */
function needed(page: string): readonly string[] {
  const blocks = blocksOf(`docs/${page}.md`)
  const imported = blocks.flatMap(({ text }) => [...text.matchAll(/ from '([^.'][^']*)'/g)])
  const names = imported.map(([, name = '']) => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? '')
  // Peers that no block imports.
  const all = new Set([...names.filter((name) => !name.startsWith('node:')), '@authmd/cli'])
  if (all.has('@authmd/core')) all.add('zod')
  if (all.has('langchain')) all.add('@langchain/core')
  return [...all].sort()
}
