// Installs the tarballs of the packages in an empty project. There an agent of each framework gets, uses and
// gives up a key, the command line runs, and their types are checked. `--peers lowest` takes the lowest
// versions that the ranges allow, otherwise it is those of the lock file.
import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
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

const { values } = parseArgs({ options: { peers: { type: 'string', default: 'newest' } } })
if (!['lowest', 'newest'].includes(values.peers)) throw new Error('--peers is lowest or newest')

const packages = publicPackages()

/** The lowest version that a range such as `^7.0.0` allows. */
function lowest(range: string): string {
  const [, version] = /^\^(\d+\.\d+\.\d+)$/.exec(range) ?? []
  if (version === undefined) throw new Error(`cannot tell the lowest version of ${range}`)
  return version
}

/** One version of each peer; the highest one where the packages' lowest differ. */
function peers(): Record<string, string> {
  const found: Record<string, string> = {}
  for (const { dir: folder } of packages) {
    const dir = join(root, folder)
    for (const [peer, range] of Object.entries(manifest(dir).peerDependencies ?? {})) {
      const locked = () => manifest(join(dir, 'node_modules', peer)).version
      const version = values.peers === 'lowest' ? lowest(range) : locked()
      const other = found[peer] ?? version
      found[peer] = other.localeCompare(version, 'en', { numeric: true }) > 0 ? other : version
    }
  }
  return found
}

await inTemporary('authmd-tarballs-', async (dir) => {
  const tarballs: Record<string, string> = {}
  for (const { name, dir: folder } of packages) {
    await run(join(root, folder), ['pnpm', 'pack', '--pack-destination', dir])
    const file = readdirSync(dir).find((one) =>
      one.startsWith(`${name.slice(1).replace('/', '-')}-`),
    )
    if (file === undefined) throw new Error(`${name} was not packed`)
    tarballs[name] = `file:${join(dir, file)}`
  }
  const versions = peers()
  const said = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  console.log(`peers, ${values.peers}: ${said.join(', ')}`)

  cpSync(join(root, 'scripts/tarballs'), dir, { recursive: true })
  writeJson(join(dir, 'package.json'), {
    private: true,
    type: 'module',
    dependencies: { ...tarballs, ...versions },
    devDependencies: toolVersions(),
  })
  // JSON is YAML as well. A peer that is missing or outside its range fails the installation.
  const strict = { autoInstallPeers: false, strictPeerDependencies: true }
  writeJson(join(dir, 'pnpm-workspace.yaml'), { overrides: tarballs, ...strict })
  await run(dir, ['pnpm', 'install', '--prefer-offline', '--ignore-scripts', '--no-lockfile'])
  await tryOut(dir, [
    'tsconfig.json',
    ...(values.peers === 'newest' ? ['tsconfig.strict.json'] : []),
  ])
})
