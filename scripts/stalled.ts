// Runs a package's tests on a machine that stands still now and then: all of their processes are stopped for one to
// four seconds again and again, as the machine of a busy CI stops them. A test that this turns red depends on how
// fast it is. Linux alone, where /proc says which processes are the tests'.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const [folder, ...args] = process.argv.slice(2)
if (folder === undefined || process.platform !== 'linux') {
  console.error('on Linux: stalled packages/NAME|apps/NAME [arguments of Vitest]')
  process.exit(2)
}

const mark = `AUTHMD_STALLED=${process.pid}`
const tests = spawn('vitest', ['run', ...args], {
  cwd: join(import.meta.dirname, '..', folder),
  env: { ...process.env, CI: 'true', AUTHMD_STALLED: String(process.pid) },
  stdio: 'inherit',
})
tests.once('error', ({ message }) => {
  console.error(message)
  process.exit(2)
})
const ended = once(tests, 'exit')
const running = () => tests.exitCode === null && tests.signalCode === null

/** The tests' processes, and those that these have started. */
function processes(): readonly number[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      return readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').includes(mark) ? [+name] : []
    } catch {
      // It is no process, has ended, or is another user's.
      return []
    }
  })
}

function signal(pids: readonly number[], name: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name)
    } catch {
      // It has ended.
    }
  }
}

const between = (least: number, most: number) => least + Math.random() * (most - least)

// Whoever breaks this off does not want to leave processes that stand still for ever.
for (const end of ['SIGINT', 'SIGTERM'] as const) {
  process.once(end, () => {
    signal(processes(), 'SIGCONT')
    process.exit(1)
  })
}

let stops = 0
while (running()) {
  await Promise.race([ended, sleep(between(300, 1_200))])
  const pids = processes()
  if (!running()) break
  signal(pids, 'SIGSTOP')
  await sleep(between(1_200, 4_000))
  signal(processes(), 'SIGCONT')
  stops++
}
console.log(`stopped ${stops} times`)
process.exitCode = tests.exitCode ?? 1
