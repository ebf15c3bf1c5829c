#!/usr/bin/env node
import { run } from './program.ts'

// Whoever reads what is written may have read enough.
process.stdout.on('error', () => process.exit(1))
process.exitCode = await run(process.argv.slice(2))
