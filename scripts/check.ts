// What must hold while working: format and lint, types, builds, tests. `pnpm check:packages` checks the tarballs.
import { spawnSync } from 'node:child_process'

const steps: readonly (readonly string[])[] = [
  ['biome', 'check', '.'],
  [
    'turbo',
    'run',
    'typecheck',
    'typecheck:scripts',
    'build',
    'test',
    'test:house',
    '--output-logs=new-only',
    '--concurrency=2',
  ],
]

for (const [command = '', ...args] of steps) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  if (status !== 0) {
    console.error(`\n${[command, ...args].join(' ')} failed`)
    process.exit(1)
  }
}
