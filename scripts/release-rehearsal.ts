// Rehearses a release on this machine: a registry on loopback, the versions as changesets makes them in a copy
// of the checkout, everything published there by the release's own command, an empty project that is made by
// the lines of the READMEs, what check-tarballs runs, and the pages that a new user begins with. Nothing is left of it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { runServer } from 'verdaccio'
import { startPages, walk } from '../apps/docs/test/walk.ts'
import {
  end,
  inTemporary,
  manifest,
  publicPackages,
  root,
  run,
  start,
  toolVersions,
  tryOut,
  writeJson,
} from './empty-project.ts'

const packages = publicPackages()

interface Registry extends AsyncDisposable {
  readonly url: string
  /** The lines of an .npmrc by which our packages, and no others, are found there and may be published. */
  readonly npmrc: string
}

/** What npm writes down of what it would install. */
interface Lock {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly dependencies?: object
        readonly devDependencies?: object
        readonly peerDependencies?: object
        readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
      }
    >
  >
}

/** A registry that holds nothing but what is published to it, and asks no other. */
async function startRegistry(dir: string): Promise<Registry> {
  const configuration = {
    storage: join(dir, 'storage'),
    self_path: join(dir, 'verdaccio.yaml'),
    configPath: join(dir, 'verdaccio.yaml'),
    uplinks: {},
    packages: { '@authmd/*': { access: '$all', publish: '$authenticated' } },
    web: { enable: false },
    log: { type: 'stdout', format: 'pretty', level: 'fatal' },
  }
  // Its types want a name for each of its defaults.
  const server = (await runServer(configuration as never)) as Server
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const made = await fetch(`http://${host}/-/user/org.couchdb.user:rehearsal`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'rehearsal', password: 'made-up-password' }),
  })
  const { token } = (await made.json()) as { token?: string }
  if (token === undefined) throw new Error(`the registry let nobody in: ${made.status}`)
  return {
    url: `http://${host}/`,
    npmrc: `@authmd:registry=http://${host}/\n//${host}/:_authToken=${token}\n`,
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** Copies what git knows or would add. */
async function copyCheckout(to: string): Promise<void> {
  const listed = await run(root, ['git', 'ls-files', '-coz', '--exclude-standard'])
  for (const path of listed.split('\0')) {
    // Git also lists what was deleted and not yet committed.
    if (path !== '' && existsSync(join(root, path))) cpSync(join(root, path), join(to, path))
  }
}

/** What the READMEs have a user install, line by line. */
function installLines(): readonly string[] {
  const readmes = ['README.md', ...packages.map(({ dir }) => `${dir}/README.md`)]
  const lines = readmes.map((path) => {
    const text = readFileSync(join(root, path), 'utf8')
    const [, line] = /^npm install ([^#\n]+?) *(?:#.*)?$/m.exec(text) ?? []
    if (line === undefined) throw new Error(`${path} does not say how to install it`)
    return line
  })
  return [...new Set(lines)]
}

/** Each line is enough by itself, and names every peer that the packages in it need. */
async function resolveAlone(dir: string, npmrc: string): Promise<void> {
  for (const [at, line] of installLines().entries()) {
    const project = join(dir, `alone-${at}`)
    mkdirSync(project)
    writeFileSync(join(project, '.npmrc'), npmrc)
    writeJson(join(project, 'package.json'), { private: true })
    const options = ['--package-lock-only', '--strict-peer-deps', '--no-audit']
    await run(project, ['npm', 'install', ...options, ...line.split(' ')])
    const locked = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as Lock
    const { '': asked, ...found } = locked.packages
    const named = new Set(Object.keys({ ...asked?.dependencies, ...asked?.devDependencies }))
    // Which version of it is right only the application's SDK knows, which brings it.
    named.add('@opentelemetry/api')
    for (const name of named) {
      const { peerDependencies = {}, peerDependenciesMeta = {} } =
        found[`node_modules/${name}`] ?? {}
      for (const peer of Object.keys(peerDependencies)) {
        if (peerDependenciesMeta[peer]?.optional) continue
        assert.ok(named.has(peer), `npm install ${line}: ${name} needs ${peer}`)
      }
    }
  }
}

/** Goes through each page as its reader does, whose `npm` knows one thing more: where our packages are. */
async function walkPages(dir: string, registry: Registry): Promise<void> {
  const bin = join(dir, 'bin')
  mkdirSync(bin)
  // The reader's home is empty, but npm sees what this machine has set for it.
  const { PATH } = process.env
  const npm = `HOME='${homedir()}' PATH='${PATH}' exec npm --@authmd:registry='${registry.url}' "$@"`
  writeFileSync(join(bin, 'npm'), `#!/bin/sh\n${npm}\n`, { mode: 0o755 })
  const path = [bin, dirname(process.execPath), PATH].join(delimiter)
  for (const page of startPages) {
    const HOME = join(dir, page)
    mkdirSync(HOME)
    const env = { HOME, PATH: path, NO_COLOR: '1' }
    await walk(page, HOME, {
      start: (cwd, program) => start(cwd, ['sh', '-ec', program], env),
      interrupt: (child) => end(child, 'SIGINT'),
    })
    console.log(`walked: docs/${page}.md`)
  }
}

await inTemporary('authmd-release-', async (dir) => {
  const [copy, project, home] = ['copy', 'project', 'home'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ]
  for (const one of [copy, project, home]) mkdirSync(one)
  await using registry = await startRegistry(dir)

  await copyCheckout(copy)
  await run(copy, ['pnpm', 'install', '--offline', '--frozen-lockfile', '--ignore-scripts'])
  await run(copy, ['pnpm', 'exec', 'changeset', 'version'])
  await run(copy, ['pnpm', 'build', '--concurrency=2'])
  // Whoever rehearses may be signed in elsewhere. There nothing of that is seen.
  writeFileSync(join(home, '.npmrc'), registry.npmrc)
  const elsewhere = Object.keys(process.env).filter((name) =>
    /token|^ACTIONS_|^(p?npm|PNPM|NPM)_config_/i.test(name),
  )
  const GITHUB_REPOSITORY = 'operator/rehearsal'
  await run(copy, ['pnpm', '--silent', 'release:publish', '--no-git-tag'], {
    ...Object.fromEntries(elsewhere.map((name) => [name, undefined])),
    GITHUB_REPOSITORY,
    HOME: home,
    NPM_CONFIG_USERCONFIG: join(home, '.npmrc'),
  })

  writeFileSync(join(project, '.npmrc'), registry.npmrc)
  cpSync(join(root, 'scripts/tarballs'), project, { recursive: true })
  // The tools come first: an application has its OpenTelemetry SDK before it has ours.
  writeJson(join(project, 'package.json'), {
    private: true,
    type: 'module',
    devDependencies: toolVersions(),
  })
  for (const line of installLines()) await run(project, ['npm', 'install', ...line.split(' ')])
  const { version } = manifest(join(copy, 'packages/core'))
  for (const { name } of packages) {
    const installed = manifest(join(project, 'node_modules', name))
    assert.equal(installed.version, version)
    assert.match(installed.repository?.url ?? '', new RegExp(GITHUB_REPOSITORY))
  }
  console.log(`published and installed: ${packages.length} packages, ${version}`)
  await tryOut(project, ['tsconfig.json', 'tsconfig.strict.json'])
  await resolveAlone(dir, registry.npmrc)
  await walkPages(dir, registry)
})
