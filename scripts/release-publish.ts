// Publishes what has a version that the registry has not, in the order of the dependencies, with changesets.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { manifest, publicPackages, root, writeJson } from './empty-project.ts'

// A registry takes a provenance only for the repository that a package names; a fork names itself.
const { GITHUB_REPOSITORY, GITHUB_SERVER_URL = 'https://github.com' } = process.env
if (GITHUB_REPOSITORY === undefined) throw new Error('it publishes from the release workflow alone')
const url = `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git`
for (const { dir: directory } of publicPackages()) {
  const repository = { type: 'git', url, directory }
  writeJson(join(root, directory, 'package.json'), {
    ...manifest(join(root, directory)),
    repository,
  })
}
const { status } = spawnSync('changeset', ['publish', ...process.argv.slice(2)], {
  stdio: 'inherit',
})
process.exitCode = status ?? 1
