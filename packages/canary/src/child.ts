// Loaded first in each Node process that a test starts: tells the parent what a sandbox in it issues.
import { subscribe } from 'node:diagnostics_channel'
import { appendFileSync } from 'node:fs'

const file = process.env.AUTHMD_CANARY_FILE
if (file !== undefined) {
  subscribe('authmd.sandbox.issued', (issued) => {
    appendFileSync(file, `${JSON.stringify(issued)}\n`)
  })
}
