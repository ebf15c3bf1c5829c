// Installs the tarballs of the packages in an empty project, beside the newest peers, which are those of the lock
// file, and then beside the lowest that the ranges allow. There an agent of each framework gets, uses and gives up
// a key, the command line runs, and their types are checked.
import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
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

/** The lowest version that a range such as `^7.0.0` allows. */
function lowest(range: string): string {
  const [, version] = /^\^(\d+\.\d+\.\d+)$/.exec(range) ?? []
  if (version === undefined) throw new Error(`cannot tell the lowest version of ${range}`)
  return version
}

type Peers = 'lowest' | 'newest'

/** One version of each peer; the highest one where the packages' lowest differ. */
function peers(which: Peers): Record<string, string> {
  const found: Record<string, string> = {}
  for (const { dir: folder } of packages) {
    const dir = join(root, folder)
    for (const [peer, range] of Object.entries(manifest(dir).peerDependencies ?? {})) {
      const locked = () => manifest(join(dir, 'node_modules', peer)).version
      const version = which === 'lowest' ? lowest(range) : locked()
      const other = found[peer] ?? version
      found[peer] = other.localeCompare(version, 'en', { numeric: true }) > 0 ? other : version
    }
  }
  return found
}

/** The tarball of each package by its name. */
async function pack(dir: string): Promise<Record<string, string>> {
  const tarballs: Record<string, string> = {}
  for (const { name, dir: folder } of packages) {
    await run(join(root, folder), ['pnpm', 'pack', '--pack-destination', dir])
    const file = readdirSync(dir).find((one) =>
      one.startsWith(`${name.slice(1).replace('/', '-')}-`),
    )
    if (file === undefined) throw new Error(`${name} was not packed`)
    tarballs[name] = `file:${join(dir, file)}`
  }
  return tarballs
}

async function tryBeside(
  which: Peers,
  dir: string,
  tarballs: Record<string, string>,
): Promise<void> {
  const versions = peers(which)
  const said = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  console.log(`peers, ${which}: ${said.join(', ')}`)
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
  await tryOut(dir, ['tsconfig.json', ...(which === 'newest' ? ['tsconfig.strict.json'] : [])])
}

await inTemporary('authmd-tarballs-', async (dir) => {
  const tarballs = await pack(dir)
  for (const which of ['newest', 'lowest'] as const) {
    await tryBeside(which, join(dir, which), tarballs)
  }
})
