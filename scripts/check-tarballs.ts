// Installs the tarballs of the packages in an empty project. There an agent of each framework gets, uses and
// gives up a key, the command line runs, and their types are checked. `--peers lowest` takes the lowest versions that the ranges
// allow, otherwise it is those of the lock file.
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..')
const programs = ['ai-sdk', 'langchain', 'mastra', 'mcp', 'opentelemetry']
const stores = ['store-postgres', 'store-redis']
const packages = ['core', 'sandbox', 'doctor', 'cli', ...programs, ...stores]
/** What the programs need beside the packages and their peers. */
const tools = [
  'node_modules/@types/node',
  'node_modules/@types/pg',
  'packages/opentelemetry/node_modules/@opentelemetry/sdk-trace-base',
]
const { values } = parseArgs({ options: { peers: { type: 'string', default: 'newest' } } })
if (!['lowest', 'newest'].includes(values.peers)) throw new Error('--peers is lowest or newest')

interface Manifest {
  readonly version: string
  readonly peerDependencies?: Readonly<Record<string, string>>
}

function manifest(dir: string): Manifest {
  return JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8')) as Manifest
}

/** The lowest version that a range such as `^7.0.0` allows. */
function lowest(range: string): string {
  const [, version] = /^\^(\d+\.\d+\.\d+)$/.exec(range) ?? []
  if (version === undefined) throw new Error(`cannot tell the lowest version of ${range}`)
  return version
}

/** One version of each peer; the highest one where the packages' lowest differ. */
function peers(): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of packages) {
    const dir = `packages/${name}`
    for (const [peer, range] of Object.entries(manifest(dir).peerDependencies ?? {})) {
      const locked = () => manifest(`${dir}/node_modules/${peer}`).version
      const version = values.peers === 'lowest' ? lowest(range) : locked()
      const other = found[peer] ?? version
      found[peer] = other.localeCompare(version, 'en', { numeric: true }) > 0 ? other : version
    }
  }
  return found
}

/** Runs a command to its end and gives its output, with which it throws where the command fails. */
function run(cwd: string, command: string, ...args: readonly string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  // As a user runs it: without our export condition.
  const { NODE_OPTIONS, ...env } = process.env
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  child.on('error', reject)
  child.on('close', (code) => {
    if (code === 0) resolve(output)
    else reject(new Error(`${[command, ...args].join(' ')} failed\n${output}`))
  })
  return promise
}

const dir = mkdtempSync(join(tmpdir(), 'authmd-tarballs-'))
try {
  const tarballs: Record<string, string> = {}
  for (const name of packages) {
    await run(join(root, 'packages', name), 'pnpm', 'pack', '--pack-destination', dir)
    const file = readdirSync(dir).find((one) => one.startsWith(`authmd-${name}-`))
    if (file === undefined) throw new Error(`${name} was not packed`)
    tarballs[`@authmd/${name}`] = `file:${join(dir, file)}`
  }
  const versions = peers()
  const said = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  console.log(`peers, ${values.peers}: ${said.join(', ')}`)

  cpSync(join(root, 'scripts/tarballs'), dir, { recursive: true })
  const write = (name: string, value: object) =>
    writeFileSync(join(dir, name), JSON.stringify(value, null, 2))
  write('package.json', {
    private: true,
    type: 'module',
    dependencies: { ...tarballs, ...versions },
    devDependencies: Object.fromEntries(
      tools.map((path) => [path.split('node_modules/')[1], manifest(path).version]),
    ),
  })
  // JSON is YAML as well. A peer that is missing or outside its range fails the installation.
  const strict = { autoInstallPeers: false, strictPeerDependencies: true }
  write('pnpm-workspace.yaml', { overrides: tarballs, ...strict })
  await run(dir, 'pnpm', 'install', '--prefer-offline', '--ignore-scripts', '--no-lockfile')
  // Where the frameworks' own declarations have errors, those of packages are not checked. Ours then are,
  // as if they were source files.
  for (const name of ['doctor', ...programs, ...stores]) {
    const declarations = join(dir, 'node_modules/@authmd', name, 'dist/index.d.ts')
    cpSync(declarations, join(dir, `${name}.types.mts`))
  }
  const types = ['tsconfig.json', ...(values.peers === 'newest' ? ['tsconfig.strict.json'] : [])]
  const results = await Promise.allSettled([
    ...[...programs, 'cli', 'stores'].map((name) => run(dir, process.execPath, `${name}.mts`)),
    ...types.map((name) => run(dir, 'tsc', '-p', name).then(() => `types: ${name}\n`)),
  ])
  for (const result of results) {
    if (result.status === 'fulfilled') process.stdout.write(result.value)
    else console.error(String(result.reason))
  }
  if (results.some(({ status }) => status === 'rejected')) process.exitCode = 1
} finally {
  rmSync(dir, { recursive: true, force: true })
}
