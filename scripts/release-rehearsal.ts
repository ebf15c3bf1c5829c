// Rehearses a release on this machine: a registry on loopback, the versions as changesets makes them in a copy
// of the checkout, everything published there by the release's own command, an empty project that is made by
// the lines of the READMEs, and what check-tarballs runs. Nothing is left of it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { runServer } from 'verdaccio'
import {
  inTemporary,
  manifest,
  publicPackages,
  root,
  run,
  toolVersions,
  tryOut,
  writeJson,
} from './empty-project.ts'

const packages = publicPackages()

interface Registry extends AsyncDisposable {
  /** The lines of an .npmrc by which our packages, and no others, are found there and may be published. */
  readonly npmrc: string
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
})
