import { existsSync, globSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { publicPackages } from './empty-project.ts'

const root = join(import.meta.dirname, '..')
const files = globSync('{packages,apps}/*/{src,test}/**/*.{ts,tsx}', { cwd: root }).map((path) => {
  const text = readFileSync(join(root, path), 'utf8')
  const imports = [...text.matchAll(/(?:^|\s)(?:from|import\(?) ?'([^'\s]+)'/gm)].map(
    ([, name = '']) => name,
  )
  return { path, text, imports }
})
const isTest = (path: string) => path.includes('.test') || path.includes('/test/')
const sources = (prefix: string) =>
  files.filter(({ path }) => path.startsWith(prefix) && !isTest(path))

test('there is something to check', () => {
  expect(sources('packages/core/src').length).toBeGreaterThan(30)
  expect(files.flatMap((file) => file.imports)).toContain('zod')
})

test('no source file is longer than 400 lines', () => {
  const long = sources('').filter(({ text }) => text.trimEnd().split('\n').length > 400)
  expect(long.map(({ path }) => path)).toEqual([])
})

/** Lines that hold code: the comments of a public interface are not to be saved on. */
const codeLines = (text: string) =>
  text.split('\n').filter((line) => !/^\s*(\/\/.*|\/?\*.*)?$/.test(line)).length

test('an adapter is at most 400 lines of code, and 500 with a watcher', () => {
  for (const name of ['ai-sdk', 'langchain', 'mastra', 'mcp']) {
    const own = sources(`packages/${name}/src`)
    expect(own.length, name).toBeGreaterThan(3)
    const lines = own.reduce((sum, { text }) => sum + codeLines(text), 0)
    const watches = own.some(({ path }) => path.endsWith('/watch.ts'))
    expect(lines, name).toBeLessThanOrEqual(watches ? 500 : 400)
  }
})

test('core imports no framework, and what is Node only under src/node', () => {
  const allowed = [
    'ipaddr.js',
    'mdast',
    'mdast-util-from-markdown',
    'mdast-util-gfm-table',
    'micromark-extension-gfm-table',
    'oauth4webapi',
    'tldts',
    'zod',
  ]
  const mcpClient = '@modelcontextprotocol/sdk/client/'
  const wrong = sources('packages/core/src').flatMap(({ path, imports }) =>
    imports
      .filter((name) => {
        if (name.startsWith('.')) return !path.includes('/src/node/') && name.includes('/node/')
        if (path.includes('/src/node/'))
          return (
            !name.startsWith('node:') &&
            !['@napi-rs/keyring', 'undici', 'uqr', 'zod'].includes(name)
          )
        if (path.includes('/src/mcp/') && name.startsWith(mcpClient)) return false
        return !allowed.includes(name)
      })
      .map((name) => `${path}: ${name}`),
  )
  expect(wrong).toEqual([])
  // They are optional: loaded only where tools are mounted, or a key comes from the keyring.
  const loading = sources('packages/core/src').filter(({ text }) => text.includes(mcpClient))
  expect(loading.map(({ path }) => path)).toEqual(['packages/core/src/mcp/connection.ts'])
  expect(loading[0]?.text).not.toMatch(/from '@modelcontextprotocol/)
  // What only some methods need is loaded when they run.
  const oauth = sources('packages/core/src').filter(({ text }) => text.includes("'oauth4webapi'"))
  expect(oauth.map(({ path }) => path)).toEqual(['packages/core/src/methods/oauth/code.ts'])
  expect(oauth[0]?.text).not.toMatch(/from 'oauth4webapi/)
  const keyring = sources('packages/core/src').filter(({ text }) =>
    text.includes("'@napi-rs/keyring'"),
  )
  expect(keyring.map(({ path }) => path)).toEqual(['packages/core/src/node/keyring.ts'])
  expect(keyring[0]?.text).not.toMatch(/from '@napi-rs/)
})

test('dependencies point one way', () => {
  const mayImport: Readonly<Record<string, readonly string[]>> = {
    'apps/console': ['@authmd/core', '@authmd/core/node', '@authmd/core/pages'],
    'packages/cli': [
      '@authmd/console/node',
      '@authmd/core',
      '@authmd/core/node',
      '@authmd/doctor',
      '@authmd/mcp',
      '@authmd/sandbox',
      '@authmd/store-postgres',
      '@authmd/store-redis',
    ],
    'packages/core': [],
    'packages/sandbox': [],
    'packages/ai-sdk': ['@authmd/core'],
    'packages/langchain': ['@authmd/core'],
    'packages/mastra': ['@authmd/core'],
    'packages/mcp': ['@authmd/core'],
    'packages/doctor': ['@authmd/core', '@authmd/core/node', '@authmd/core/reading'],
    'packages/store-postgres': ['@authmd/core'],
    'packages/store-redis': ['@authmd/core'],
    'packages/opentelemetry': ['@authmd/core'],
  }
  for (const [where, names] of Object.entries(mayImport)) {
    const ours = sources(`${where}/src`).flatMap(({ path, imports }) =>
      imports.filter((name) => name.startsWith('@authmd/')).map((name) => ({ path, name })),
    )
    expect(ours.filter(({ name }) => !names.includes(name))).toEqual([])
  }
})

test.each(['mutants.json', 'fuzz-mutants.json'])('each of %s can still be made', (list) => {
  const mutants = JSON.parse(readFileSync(join(root, 'scripts', list), 'utf8')) as readonly {
    readonly file: string
    readonly find: string
  }[]
  expect(mutants.length).toBeGreaterThan(0)
  const gone = mutants.filter(
    ({ file, find }) => readFileSync(join(root, file), 'utf8').split(find).length !== 2,
  )
  expect(gone).toEqual([])
})

test('a secret is opened only in the files of this list', () => {
  const openers = [
    // A person at a terminal asks to see it, and says yes once more.
    'packages/cli/src/reveal.ts',
    'packages/core/src/engine/registration.ts',
    'packages/core/src/engine/run.ts',
    'packages/core/src/engine/send.ts',
    'packages/core/src/use/redactor.ts',
    'packages/core/src/use/signer.ts',
    'packages/core/src/vault/credential-record.ts',
    'packages/core/src/vault/credential-secrets.ts',
    'packages/core/src/vault/credentials.ts',
  ]
  const opening = files.filter(({ path, text }) => !isTest(path) && text.includes('Secret.open('))
  expect(opening.map(({ path }) => path).sort()).toEqual(openers)
})

test('nothing but the transports opens a connection', () => {
  const opening = sources('packages/core/src').filter(({ path, text }) => {
    if (path.includes('/net/') || path.includes('/node/')) return false
    return /(?<![.\w#])fetch\((?!request: |service: )/.test(text.replace(/^\s*\/?\*.*$/gm, ''))
  })
  // The engine is handed the guarded fetch under that name; an identity provider is the operator's own.
  expect(opening.map(({ path }) => path).sort()).toEqual([
    'packages/core/src/engine/send.ts',
    'packages/core/src/identity/token-exchange.ts',
  ])
})

describe('documents', () => {
  const text = (path: string) => readFileSync(join(root, path), 'utf8')

  test.each([
    'ai-sdk',
    'langchain',
    'mastra',
    'mcp',
    'store-postgres',
    'store-redis',
    'opentelemetry',
  ])("the first lines of %s's name its peers as package.json has them", (name) => {
    const { peerDependencies } = JSON.parse(text(`packages/${name}/package.json`))
    const first = text(`packages/${name}/README.md`).split('```')[0]
    for (const [peer, range] of Object.entries(peerDependencies)) {
      expect(first?.replace(/\s+/g, ' ')).toContain(`\`${peer}\` ${range}`)
    }
  })

  test('a line of a README that installs a package names its peers', () => {
    const readmes = globSync('{.,packages/*,apps/*}/README.md', { cwd: root })
    const lines = readmes.flatMap((path) => text(path).match(/^npm install .*/gm) ?? [])
    expect(lines.length).toBeGreaterThan(10)
    const missing = publicPackages().flatMap(({ name, dir }) => {
      const { peerDependencies = {}, peerDependenciesMeta = {} } = JSON.parse(
        text(`${dir}/package.json`),
      )
      // The API comes with the SDK, as that README says.
      const peers = Object.keys(peerDependencies).filter((peer) => {
        return !peerDependenciesMeta[peer]?.optional && peer !== '@opentelemetry/api'
      })
      const naming = lines.filter((line) => line.split(' ').includes(name))
      return naming.filter((line) => !peers.every((peer) => line.split(' ').includes(peer)))
    })
    expect(missing).toEqual([])
  })

  test('each check that AGENTS.md names exists, and CI runs it', () => {
    const rows = [...text('AGENTS.md').matchAll(/`(house|script): ([^`]+)`/g)]
    expect(rows.length).toBeGreaterThan(10)
    const { scripts } = JSON.parse(text('package.json'))
    const rules = readFileSync(import.meta.filename, 'utf8')
    const gone = rows.filter(([, kind, name = '']) =>
      kind === 'script' ? !(name in scripts) : !rules.includes(`'${name}', (`),
    )
    expect(gone.map(([all]) => all)).toEqual([])
    // One that nobody runs decides nothing.
    const ci = `${text('.ci/run')}${text('scripts/check.ts').replaceAll("', '", ' ')}`
    const idle = rows.filter(([, kind, name = '']) => {
      const ways = [
        `silent ${name} `,
        `silent ${name}\n`,
        `silent ${name}'`,
        `turbo run ${name} `,
        ...(kind === 'script' ? [`'${scripts[name]}'`] : []),
      ]
      return kind === 'script' && !ways.some((way) => ci.includes(way))
    })
    expect(idle.map(([all]) => all)).toEqual([])
  })

  test('CONTRIBUTING.md names every script', () => {
    const { scripts } = JSON.parse(text('package.json'))
    const named = [
      ...text('CONTRIBUTING.md').matchAll(/`(?:npm|pnpm)(?: run| --silent)? ([\w:-]+)/g),
    ]
    const names = new Set(named.map(([, name]) => name))
    expect(Object.keys(scripts).filter((name) => !names.has(name))).toEqual([])
  })
})

describe('releases', () => {
  const text = (path: string) => readFileSync(join(root, path), 'utf8')

  test('one fixed group holds exactly the public packages', () => {
    const names = publicPackages().map(({ name }) => name)
    const { fixed } = JSON.parse(text('.changeset/config.json'))
    expect(fixed.map((group: string[]) => group.toSorted())).toEqual([names.sort()])
  })

  test('each is tried as a tarball after its build', () => {
    const { tasks } = JSON.parse(text('turbo.json'))
    const builds = publicPackages().map(({ name }) => `${name}#build`)
    expect(tasks['//#tarballs'].dependsOn).toEqual(builds.sort())
  })

  test('a workflow takes an action by its commit, says which version that is, and has minimal rights', () => {
    const workflows = globSync('.github/workflows/*.yml', { cwd: root })
    expect(workflows.length).toBeGreaterThan(1)
    for (const path of workflows) {
      const used = text(path).match(/uses: .*/g) ?? []
      const pinned = /^uses: (\.\/\S+|[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/
      expect(
        used.filter((line) => !pinned.test(line)),
        path,
      ).toEqual([])
      expect(text(path), path).toMatch(/^permissions:(?: \{\}|\n {2}contents: read\n\n)/m)
      expect(text(path), path).not.toContain('secrets.')
    }
  })
})

describe('runtime dependencies', () => {
  const allowed = /^(MIT|ISC|BSD-[23]-Clause|0BSD|Apache-2\.0|BlueOak-1\.0\.0|CC0-1\.0|Unlicense)$/
  interface Manifest {
    readonly name: string
    readonly version: string
    readonly private?: boolean
    readonly license?: string
    readonly scripts?: Readonly<Record<string, string>>
    readonly dependencies?: Readonly<Record<string, string>>
    readonly optionalDependencies?: Readonly<Record<string, string>>
  }
  const manifest = (dir: string) =>
    JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as Manifest
  const namesOf = ({ dependencies, optionalDependencies }: Manifest) =>
    Object.keys({ ...dependencies, ...optionalDependencies })

  /** The directory of a dependency, looked for as Node does. */
  function locate(from: string, name: string): string | undefined {
    for (let dir = realpathSync(from); dir !== dirname(dir); dir = dirname(dir)) {
      const found = join(dir, 'node_modules', name)
      if (existsSync(join(found, 'package.json'))) return realpathSync(found)
    }
    return undefined
  }

  const published = globSync('{packages,apps}/*/package.json', { cwd: root })
    .map((path) => join(root, dirname(path)))
    .filter((dir) => manifest(dir).private !== true)
  const direct = published.flatMap((dir) =>
    namesOf(manifest(dir))
      .filter((name) => !name.startsWith('@authmd/'))
      .map((name) => ({ of: basename(dir), name, dir: locate(dir, name) ?? '' })),
  )
  const bytes = (dir: string): number =>
    readdirSync(dir, { withFileTypes: true }).reduce((sum, entry) => {
      if (entry.name === 'node_modules') return sum
      const path = join(dir, entry.name)
      return sum + (entry.isDirectory() ? bytes(path) : statSync(path).size)
    }, 0)

  test('are exactly those that docs/dependencies.md names, with their licence and size', () => {
    const text = readFileSync(join(root, 'docs/dependencies.md'), 'utf8')
    const named = [...text.matchAll(/^\| `([^`]+)` +\| (\S+) +\| (\S+) +\| (\d+) +\| \S/gm)].map(
      ([, name = '', of = '', license = '', size = '']) => ({
        of,
        name,
        license,
        size: Number(size),
      }),
    )
    const key = ({ of, name }: { of: string; name: string }) => `${of}: ${name}`
    expect(named.map(key).sort()).toEqual(direct.map(key).sort())
    for (const one of named) {
      const { dir = '' } = direct.find((other) => key(other) === key(one)) ?? {}
      expect(one.license, key(one)).toBe(manifest(dir).license)
      const actual = bytes(dir) / 1024
      expect(Math.abs(actual - one.size) / actual, `${key(one)}: ${actual} kB`).toBeLessThan(0.25)
    }
  })

  test('run no script when they are installed, and have a licence that we may pass on', () => {
    const seen = new Map<string, Manifest>()
    const visit = (dir: string): void => {
      if (seen.has(dir)) return
      const own = manifest(dir)
      seen.set(dir, own)
      for (const name of namesOf(own)) {
        const below = locate(dir, name)
        if (below !== undefined) visit(below)
      }
    }
    for (const { dir } of direct) visit(dir)
    expect(seen.size).toBeGreaterThan(direct.length)
    const bad = [...seen.values()].filter(({ scripts = {}, license = '' }) => {
      const script = ['preinstall', 'install', 'postinstall'].some((name) => name in scripts)
      return script || !allowed.test(license)
    })
    expect(bad.map(({ name, license }) => `${name}: ${license}`)).toEqual([])
  })
})
