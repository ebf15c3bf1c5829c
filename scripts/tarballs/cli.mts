import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startWorld } from './world.mts'

await using world = await startWorld()

/** The command as npm has linked it, with a home of its own. */
function authmd(...args: readonly string[]): Promise<{ code: unknown; stdout: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: unknown; stdout: string }>()
  const home = join(import.meta.dirname, 'home')
  const env = { PATH: process.env.PATH, HOME: home, AUTHMD_LOOPBACK: '1' }
  const key = { AUTHMD_KEY_FILE: join(home, 'key') }
  const file = join(import.meta.dirname, 'node_modules/.bin/authmd')
  execFile(file, args, { env: { ...env, ...key } }, (error, stdout) =>
    resolve({ code: error?.code ?? 0, stdout }),
  )
  return promise
}

const installed = join(import.meta.dirname, 'node_modules/@authmd/cli/package.json')
const { version } = JSON.parse(readFileSync(installed, 'utf8'))
const said = await authmd('--version')
assert.deepEqual(said, { code: 0, stdout: `${version}\n` })

const found = await authmd('discover', world.service, '--json')
assert.equal(found.code, 0)
assert.match(found.stdout, /"telnyx-signup"/)

const text = join(import.meta.dirname, 'auth.md')
writeFileSync(text, '# How agents get in\n\nWrite us a letter.\n')
const examined = await authmd('doctor', text, '--json')
const { report } = JSON.parse(examined.stdout)
assert.equal(examined.code, 8)
assert.ok(report.counts.error > 0)
console.log(`cli: ${version}, discover, doctor`)
