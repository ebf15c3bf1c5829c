import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type OutputChunk, rolldown } from 'rolldown'
import { atMost, counted, type Figure, type Goal, type Group, median } from './figure.ts'

const packages = join(import.meta.dirname, '../../packages')
const published = [
  'core',
  'ai-sdk',
  'langchain',
  'mastra',
  'mcp',
  'store-postgres',
  'store-redis',
] as const
const references = {
  zod: 'zod',
  oauth4webapi: 'oauth4webapi',
  'the MCP client': '@modelcontextprotocol/sdk/client/index.js',
}

interface Entry {
  /** As it is imported: `@authmd/core/node`. */
  readonly name: string
  readonly dir: string
  readonly file: string
  readonly peers: readonly string[]
}

interface Manifest {
  readonly exports: Readonly<Record<string, string | { '@authmd/source': Source }>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

type Source = string | { readonly node: string; readonly default: string }

/** Every entry point that an application can import; core's main one for Node and for the rest. */
function entries(): readonly Entry[] {
  return published.flatMap((name) => {
    const dir = join(packages, name)
    const manifest: Manifest = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'))
    const peers = Object.keys(manifest.peerDependencies ?? {})
    return Object.entries(manifest.exports).flatMap(([path, target]): Entry[] => {
      if (typeof target === 'string' || path === './testing') return []
      const full = `@authmd/${name}${path.slice(1)}`
      const source = target['@authmd/source']
      const one = (label: string, file: string) => ({
        name: label,
        dir,
        file: join(dir, file),
        peers,
      })
      if (typeof source === 'string') return [one(full, source)]
      return [one(full, source.default), one(`${full} on Node`, source.node)]
    })
  })
}

const isPeer = (peers: readonly string[]) => (id: string) =>
  id.startsWith('node:') ||
  id.startsWith('@authmd/') ||
  peers.some((peer) => id === peer || id.startsWith(`${peer}/`))

/** Bytes that are loaded before anything is called: the entry and what it imports at once. */
async function gzipped(input: string, external: (id: string) => boolean, node: boolean) {
  const conditions = ['@authmd/source', ...(node ? ['node'] : []), 'import', 'default']
  const bundle = await rolldown({
    input,
    platform: node ? 'node' : 'browser',
    resolve: { conditionNames: conditions },
    external,
    logLevel: 'silent',
  })
  const { output } = await bundle.generate({ format: 'esm', minify: true })
  await bundle.close()
  const chunks = output.filter((one): one is OutputChunk => one.type === 'chunk')
  const byName = new Map(chunks.map((one) => [one.fileName, one]))
  const loaded = new Set<OutputChunk>(chunks.filter(({ isEntry }) => isEntry))
  for (const chunk of loaded) {
    for (const name of chunk.imports) {
      const imported = byName.get(name)
      if (imported) loaded.add(imported)
    }
  }
  return [...loaded].reduce((sum, { code }) => sum + gzipSync(code).length, 0)
}

const small: Goal = atMost(35)

/** What importing costs: bytes, minified and compressed, and milliseconds in a new process. Peers not counted. */
export const imports: Group = {
  name: 'imports',
  async *figures({ quick, exactOnly }) {
    const kB = (bytes: number) => Math.round(bytes / 10) / 100
    const external = isPeer([])
    const sizes = new Map<string, number>()
    for (const [name, module] of Object.entries(references)) {
      const input = inBench(`reference-${basename(name)}.mjs`, `export * from '${module}'`)
      const ownPeers = name === 'the MCP client' ? isPeer(['zod']) : external
      sizes.set(name, kB(await gzipped(input, ownPeers, true)))
    }
    const zod = sizes.get('zod') ?? Number.NaN
    for (const [name, size] of sizes) {
      const { exact: _, ...figure } = counted(`size, ${name}`, 'kB', size, ['zod', zod])
      if (name !== 'zod') yield figure
    }
    for (const { name, file, peers } of entries()) {
      const size = kB(await gzipped(file, isPeer(peers), file.includes('/node/')))
      const goal = /^@authmd\/core( on Node)?$/.test(name) ? small : undefined
      yield counted(`size, ${name}`, 'kB', size, ['zod', zod], goal)
    }
    if (!exactOnly) yield* times(quick ? 1 : 15)
    rmSync(inBench(''), { recursive: true, force: true })
  },
}

function inBench(name: string, text?: string): string {
  const dir = join(import.meta.dirname, '../.report/imports')
  mkdirSync(dir, { recursive: true })
  const path = join(dir, name)
  if (text !== undefined) writeFileSync(path, text)
  return path
}

/** Built as it is published, where Node finds its dependencies; core's own build in the place of `@authmd/core`. */
async function built({ name, dir, file }: Entry): Promise<string> {
  const out = join(dir, '.report/bench')
  const path = join(out, `${name.replaceAll(/\W+/g, '-')}.mjs`)
  const core = relative(out, join(packages, 'core/.report/bench/-authmd-core-on-Node.mjs'))
  const bundle = await rolldown({
    input: file,
    platform: 'node',
    resolve: { conditionNames: ['@authmd/source', 'node', 'import', 'default'] },
    external: (id) => !id.startsWith('.') && !id.startsWith('/'),
    logLevel: 'silent',
  })
  await bundle.write({
    file: path,
    format: 'esm',
    codeSplitting: false,
    paths: { '@authmd/core': `${core.startsWith('.') ? '' : './'}${core}` },
  })
  await bundle.close()
  return path
}

async function* times(rounds: number): AsyncGenerator<Figure> {
  const list: [string, string, readonly string[]][] = []
  for (const [name, module] of Object.entries(references)) {
    list.push([name, inBench(`reference-${basename(name)}.mjs`, `import '${module}'`), []])
  }
  for (const entry of entries()) {
    if (entry.name === '@authmd/core') continue
    list.push([entry.name, await built(entry), entry.peers])
  }
  const took = new Map<string, number[]>(list.map(([name]) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, path, peers] of list) took.get(name)?.push(importMs(path, peers))
  }
  const zod = took.get('zod') ?? []
  for (const [name, values] of took) {
    const ratios = values.map((value, at) => value / (zod[at] ?? Number.NaN))
    const spread = [Math.min(...ratios), Math.max(...ratios)] as const
    const [value, reference, ratio] = [median(values), median(zod), median(ratios)]
    if (name === 'zod') continue
    yield { name: `import, ${name}`, unit: 'ms', value, reference, against: 'zod', ratio, spread }
  }
}

/** In a process of its own, whose peers are there already. */
function importMs(path: string, peers: readonly string[]): number {
  const program = `
    for (const peer of ${JSON.stringify(peers)}) await import(peer).catch(() => undefined)
    const began = performance.now()
    await import(${JSON.stringify(path)})
    console.log(performance.now() - began)`
  const args = ['--input-type=module', '--eval', program]
  const cwd = join(path, '..')
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' })
  const ms = Number(stdout)
  if (!(ms > 0)) throw new Error(`${path} cannot be imported: ${stderr}`)
  return ms
}
