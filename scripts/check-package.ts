// Checks the tarball of the package in the working directory as a consumer would get it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const dir = mkdtempSync(join(tmpdir(), 'authmd-pack-'))

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`)
}

try {
  run('pnpm', ['--silent', 'pack', '--pack-destination', dir])
  const name = readdirSync(dir).find((file) => file.endsWith('.tgz'))
  if (name === undefined) throw new Error('nothing was packed')
  run('publint', ['run', join(dir, name), '--strict'])
  run('attw', [join(dir, name), '--profile', 'esm-only', '--format', 'table-flipped'])
} finally {
  rmSync(dir, { recursive: true, force: true })
}
