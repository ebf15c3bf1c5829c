import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Sandbox, startSandbox } from '@authmd/sandbox'
import { beforeAll, expect, test } from 'vitest'
import { type Point, pointsOf } from './kill-points.ts'
import { buildAgent, type Ceremony, ceremonies, goOn, nameOf, startAgent } from './soak-agent.ts'
import { audit } from './soak-audit.ts'
import { type Operator, startOperator } from './soak-operator.ts'

beforeAll(buildAgent, 60_000)

interface Walk {
  readonly name: string
  readonly method: 'agent-auth' | 'guided'
  readonly ceremony?: Ceremony
}

const walks: readonly Walk[] = [
  ...ceremonies.map((ceremony) => ({
    name: nameOf(ceremony),
    method: 'agent-auth' as const,
    ceremony,
  })),
  { name: 'a request that a text describes', method: 'guided' },
]
/** Reads of discovery, the same on each way of auth.md: the first of them is killed there for all. */
const discovery = /^(not_found|agent_(auth_md|prm|as_metadata))$/
// CI walks all; elsewhere one, whose claim of what was used before is the longest way.
const all = process.env.CI !== undefined
const here = walks.filter(({ name }) => all || name === 'readback late')

/** A sandbox, the people around it, and a place for a store. */
async function inWorld<T>(
  { ceremony }: Walk,
  work: (world: { sandbox: Sandbox; operator: Operator; dir: string }) => Promise<T>,
): Promise<T> {
  await using sandbox = await startSandbox(ceremony ? { authMd: ceremony.authMd } : {})
  const operator = await startOperator(sandbox)
  const dir = await mkdtemp(join(tmpdir(), 'authmd-walk-'))
  try {
    return await work({ sandbox, operator, dir })
  } finally {
    await operator.close()
    await rm(dir, { recursive: true, force: true })
  }
}

/** Where a way that nobody disturbs can be broken off. */
function undisturbed(walk: Walk): Promise<Point[]> {
  return inWorld(walk, async (world) => {
    const { by, err } = await startAgent({ ...world, ...walk }).ended
    expect(by, err).toBe(0)
    return pointsOf(world.sandbox)
  })
}

function killedAt(walk: Walk, { name, when }: Point): Promise<void> {
  const label = `killed at ${name}, ${when} the service has done it`
  return inWorld(walk, async (world) => {
    const fault = world.sandbox.faults.add({ name, hold: when, cut: when, times: 1 })
    const first = startAgent({ ...world, ...walk })
    await fault.whenHeld()
    first.process.kill('SIGKILL')
    expect((await first.ended).by, label).toBe('SIGKILL')
    fault.release()
    // In this process, where it costs half: `pnpm soak:kill` goes on in another.
    const { doubts } = await goOn({ ...world, ...walk }).catch((cause) => {
      throw new Error(label, { cause })
    })
    const { faults } = await audit(
      world.sandbox,
      world.operator,
      world.dir,
      new Set(doubts),
      walk.method,
    )
    expect(faults, label).toEqual([])
  })
}

test.each(here)(
  '$name: killed at any request, nothing is lost or doubled',
  async (walk) => {
    const points = await undisturbed(walk)
    expect(points.length).toBeGreaterThan(2)
    const walked: string[] = []
    const queue = points.filter(({ name, when }) =>
      all
        ? walk === walks[0] || !discovery.test(name)
        : when === 'after' && /claim|register/.test(name),
    )
    const wanted = queue.length
    expect(wanted).toBeGreaterThan(2)
    const worker = async (): Promise<void> => {
      for (let point = queue.shift(); point !== undefined; point = queue.shift()) {
        await killedAt(walk, point)
        walked.push(`${point.name} ${point.when}`)
      }
    }
    await Promise.all([worker(), worker()])
    expect(new Set(walked).size).toBe(wanted)
  },
  600_000,
)
