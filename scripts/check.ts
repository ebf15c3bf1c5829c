// Everything that must hold before a change lands: format and lint, types, builds, tests, packages.
import { spawnSync } from 'node:child_process'

const steps: readonly (readonly string[])[] = [
  ['biome', 'check', '.'],
  ['knip'],
  [
    'turbo',
    'run',
    'typecheck',
    'typecheck:scripts',
    'build',
    'test',
    'test:house',
    'check:package',
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
