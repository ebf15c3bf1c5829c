// Kills an agent's process at random points, lets others go on from what is stored, and compares what
// came of it with the ledger of the sandbox.
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  buildAgent,
  ceremonies,
  nameOf,
  type SoakMethod,
  startAgent,
} from '../packages/core/test/soak-agent.ts'
import { audit, type Tally } from '../packages/core/test/soak-audit.ts'
import { startOperator } from '../packages/core/test/soak-operator.ts'
import { type Sandbox, startSandbox } from '../packages/sandbox/src/index.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
    method: { type: 'string' },
  },
})
const runs = Number(values.runs)
const seed = Number(values.seed ?? Date.now() % 1_000_000)
if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(seed)) {
  console.error(
    'soak:kill --runs N [--seed S] [--only RUN] [--method telnyx-signup|manual|agent-auth|guided]',
  )
  process.exit(2)
}

process.once('exit', await buildAgent())

console.error(`seed ${seed}; one run again: --seed ${seed} --only RUN`)

type Random = () => number

/** Numbers from 0 to 1 that follow from the seed (mulberry32). */
function randomFrom(start: number): Random {
  let state = start | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T
}

const atTelnyx = [
  ...['bot_challenge', 'bot_signup', 'bot_signup', 'bot_sessions', 'bot_sessions', 'api_keys'],
  ...['api_keys', 'api_keys', 'messages', 'messages', 'balance', 'resend_magic_link'],
]

const atAuthMd = [
  ...['agent_register', 'agent_register', 'agent_register', 'agent_token', 'agent_token'],
  ...['agent_token', 'agent_claim', 'agent_claim_complete', 'agent_claim_complete'],
  ...['agent_resource', 'agent_revoke'],
]

const requestsOf: Readonly<Record<SoakMethod, readonly string[]>> = {
  'telnyx-signup': atTelnyx,
  manual: atTelnyx,
  'agent-auth': atAuthMd,
  guided: ['prose_signup', 'prose_signup', 'prose_me'],
}

/** Kills the process at the n-th request of a name, before or after the service has done it. */
function killAtRequest(
  sandbox: Sandbox,
  process_: ChildProcess,
  random: Random,
  method: SoakMethod,
): string {
  const names = requestsOf[method]
  const served = names.filter((name) => sandbox.faults.names.includes(name))
  const [name, when] = [pick(random, served), pick(random, ['before', 'after'] as const)]
  const nth = pick(random, [1, 1, 2])
  const arm = () => {
    const fault = sandbox.faults.add({ name, hold: when, cut: when, times: 1 })
    void fault.whenHeld().then(() => {
      process_.once('exit', () => fault.release())
      process_.kill('SIGKILL')
    })
  }
  if (nth === 1) arm()
  else {
    const first = sandbox.faults.add({
      name,
      hold: 'before',
      times: 1,
      onHold: () => {
        first.remove()
        arm()
      },
    })
  }
  return `${name} #${nth} ${when}`
}

function killAfterTime(process_: ChildProcess, random: Random): string {
  const ms = Math.floor(random() * 1_500)
  const timer = setTimeout(() => process_.kill('SIGKILL'), ms)
  process_.once('exit', () => clearTimeout(timer))
  return `${ms} ms`
}

const maxProcesses = 8

/** What the last process came to. */
interface Ended {
  readonly status: string
  readonly code?: string
  readonly reason?: string
}

const methods: readonly SoakMethod[] = [
  ...(['telnyx-signup', 'telnyx-signup', 'manual', 'guided'] as const),
  ...(['agent-auth', 'agent-auth', 'agent-auth'] as const),
]

async function run(at: number): Promise<Tally & { readonly kills: number }> {
  const random = randomFrom(seed * 7919 + at)
  const dir = await mkdtemp(join(tmpdir(), 'authmd-soak-'))
  const drawn = pick(random, methods)
  const method = values.method === undefined ? drawn : (values.method as SoakMethod)
  const ceremony = method === 'agent-auth' ? pick(random, ceremonies) : undefined
  const sandbox = await startSandbox(ceremony ? { authMd: ceremony.authMd } : {})
  const operator = await startOperator(sandbox)
  const told: string[] = [method, ...(ceremony ? [nameOf(ceremony)] : [])]
  const doubts = new Set<string>()
  let kills = 0
  let ended = false
  try {
    for (let count = 1; !ended && count <= maxProcesses; count++) {
      const agent = startAgent({ sandbox, operator, dir, method, ceremony })
      if (count < maxProcesses && (count === 1 || random() < 0.4)) {
        const byTime = random() < 0.35
        told.push(
          byTime
            ? killAfterTime(agent.process, random)
            : killAtRequest(sandbox, agent.process, random, method),
        )
      }
      const { by, out, err } = await agent.ended
      sandbox.faults.clear()
      if (by === 'SIGKILL') kills++
      else if (by === 0) {
        ended = true
        const said = JSON.parse(out) as { outcome: Ended; doubts: string[] }
        const { status, code = '', reason = '' } = said.outcome
        told.push(reason, `${status} ${code}`.trim())
        for (const one of said.doubts) doubts.add(one)
      } else throw new Error(`run ${at} (${told.join(', ')}) ended with ${by}: ${err}`)
    }
    const end = `${method} ${told.at(-1)}`
    ends.set(end, (ends.get(end) ?? 0) + 1)
    const tally = await audit(sandbox, operator, dir, doubts, method)
    if (values.only) console.error(told.join(' · '))
    for (const fault of tally.faults) console.error(`run ${at} (${told.join(', ')}): ${fault}`)
    return { ...tally, kills }
  } finally {
    await operator.close()
    await sandbox.close()
    await rm(dir, { recursive: true, force: true })
  }
}

const sum = { runs: 0, kills: 0, lost: 0, double: 0, unreadable: 0, uncertain: 0, orphansListed: 0 }
let broken = 0
/** How the runs ended, for who watches. */
const ends = new Map<string, number>()
const queue = values.only ? [Number(values.only)] : Array.from({ length: runs }, (_, at) => at)
const started = Date.now()

async function worker(): Promise<void> {
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    try {
      const { kills, lost, double, unreadable, uncertain, orphansListed } = await run(at)
      sum.kills += kills
      sum.lost += lost
      sum.double += double
      sum.unreadable += unreadable
      sum.uncertain += uncertain
      sum.orphansListed += orphansListed
    } catch (error) {
      broken++
      console.error(error instanceof Error ? error.message : error)
    }
    sum.runs++
    if (sum.runs % 25 === 0) {
      const seconds = Math.round((Date.now() - started) / 1_000)
      console.error(`${sum.runs} runs, ${sum.kills} kills, ${seconds} s, seed ${seed}`)
    }
  }
}

await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker))
console.error(JSON.stringify(Object.fromEntries(ends)))
if (broken > 0) console.error(`${broken} runs could not be brought to an end`)
console.log(JSON.stringify(sum))
process.exitCode = sum.lost + sum.double + sum.unreadable + broken === 0 ? 0 : 1
