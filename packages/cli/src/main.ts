#!/usr/bin/env node
import { run } from './program.ts'

// Whoever reads what is written may have read enough. A result that cannot be written for another reason is said.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (code !== 'EPIPE') process.stderr.write(`The result cannot be written (${code}).\n`)
  process.exit(1)
})
// Progress that nobody reads must not take the result with it.
process.stderr.on('error', () => {})
process.exitCode = await run(process.argv.slice(2))
