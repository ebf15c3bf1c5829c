// What must hold while working: format and lint, types, tests. `pnpm check:packages` does the rest of CI.
import { spawnSync } from 'node:child_process'

// One failure hides no other: whoever waits for CI sees all of them at once.
const all = '--continue=dependencies-successful'

const steps: readonly (readonly string[])[] = [
  ['biome', 'check', '.'],
  [
    ...['turbo', 'run', 'typecheck', 'test', 'test:house'],
    ...['--output-logs=new-only', '--concurrency=3', all],
  ],
]

for (const [command = '', ...args] of steps) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  if (status !== 0) {
    console.error(`\n${[command, ...args].join(' ')} failed`)
    process.exit(1)
  }
}
