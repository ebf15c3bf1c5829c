import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type LedgerEntry, type Sandbox, startSandbox } from '@authmd/sandbox'
import { beforeAll, expect, test } from 'vitest'
import { fileStore } from '../src/node/file-store.ts'
import { keyFromFile } from '../src/node/keys.ts'
import { bundle } from './bundle.ts'
import { type Point, pointsOf } from './kill-points.ts'
import { goAsFar, type KillArgument, type Rest } from './kill-way.ts'

const child = join(import.meta.dirname, '../.report/kill/kill-child.mjs')

beforeAll(() => bundle('kill-child.ts', child), 60_000)

function argumentOf({ urls: { api, mail, control } }: Sandbox, dir: string): KillArgument {
  return { dir, api, mail, control }
}

function start(sandbox: Sandbox, dir: string) {
  const argument = JSON.stringify(argumentOf(sandbox, dir))
  const args = [child, argument]
  const env = { ...process.env, NODE_COMPILE_CACHE: dirname(child) }
  const process_ = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  process_.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const { promise: ended, resolve } = Promise.withResolvers<Rest | undefined>()
  process_.on('exit', (code) => resolve(code === 0 ? (JSON.parse(text) as Rest) : undefined))
  return { kill: () => process_.kill('SIGKILL'), ended }
}

async function inFreshDir<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'authmd-kill-'))
  try {
    return await work(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Where a run that nobody disturbs can be broken off, in order. */
async function undisturbed(): Promise<{ every: Point[]; rest: Rest }> {
  await using sandbox = await startSandbox()
  return await inFreshDir(async (dir) => {
    const rest = await start(sandbox, dir).ended
    if (rest === undefined) throw new Error('the undisturbed run failed')
    return { every: pointsOf(sandbox), rest }
  })
}

test('killed at any request, before or after the service commits, nothing is lost or doubled', async () => {
  const { every, rest } = await undisturbed()
  const names = every.map(({ name }) => name)
  expect(rest.outcome).toMatchObject({ status: 'answered', answer: { status: 200 } })
  expect(rest.consents).toBe(1)
  for (const needed of ['bot_challenge', 'bot_signup', 'bot_sessions', 'api_keys']) {
    expect(names).toContain(needed)
  }
  // CI walks all of them; elsewhere those at which something is made or asked of the model.
  const all = process.env.CI !== undefined
  const binding = every.flatMap(({ name, when }) => (when === 'before' ? [name] : []))
  const points = every.filter(
    ({ name }) => all || binding.includes(name) || name === 'bot_challenge',
  )
  expect(points.length).toBeGreaterThan(6)
  const walked: string[] = []
  const queue = [...points]
  const worker = async (): Promise<void> => {
    for (let point = queue.shift(); point !== undefined; point = queue.shift()) {
      await inFreshDir((dir) => killAt(point, dir))
      walked.push(`${point.name} ${point.when}`)
    }
  }
  await Promise.all([worker(), worker()])
  expect(walked.sort()).toEqual(points.map(({ name, when }) => `${name} ${when}`).sort())
}, 600_000)

async function killAt(point: Point, dir: string) {
  await using sandbox = await startSandbox()
  const { name, when } = point
  const label = `killed at ${name} ${when} commit`
  const fault = sandbox.faults.add({ name, hold: when, cut: when, times: 1 })
  const first = start(sandbox, dir)
  await fault.whenHeld()
  first.kill()
  expect(await first.ended, label).toBeUndefined()
  fault.release()

  // In this process, where it costs half: `pnpm soak:kill` goes on in another.
  const rest = await goAsFar(argumentOf(sandbox, dir)).catch((cause) => {
    throw new Error(label, { cause })
  })
  const { outcome, orphans } = rest
  const usable = outcome.status === 'answered' && outcome.answer.status === 200
  const doubtful = outcome.status === 'uncertain' && outcome.request === name
  expect(usable || doubtful, `${label}: ${JSON.stringify(outcome)}`).toBe(true)

  // Every key and session that the service gave out is held, was used up, or is listed as lost.
  const held = await vaultText(dir)
  for (const issued of sandbox.ledger.filter(lasting)) {
    // A session is spent once it has made the key.
    const spent = issued.kind === 'session' && issued.usedAt !== undefined
    const byUs = held.includes(issued.value) || spent
    const listed = orphans.some((one) => one.request === requestOf(sandbox, issued))
    expect(byUs || listed, `${label}: ${issued.kind} is nowhere`).toBe(true)
    if (listed && issued.kind === 'api_key' && !byUs) {
      expect(orphans.find((one) => one.request === 'api_keys')?.url, label).toContain('portal')
    }
  }
  // Nothing that creates was sent twice under one consent.
  const sent = (creating: string) => sandbox.log.filter((one) => one.name === creating)
  const committed = (creating: string) => sent(creating).filter((one) => one.effect)
  expect(sent('api_keys').length, label).toBeLessThanOrEqual(1)
  expect(committed('bot_signup').length, label).toBeLessThanOrEqual(1)
  await expectReadable(dir, label)
}

function lasting(entry: LedgerEntry): boolean {
  return entry.kind === 'api_key' || entry.kind === 'session'
}

function requestOf(sandbox: Sandbox, issued: LedgerEntry): string | undefined {
  return sandbox.log.find((one) => one.n === issued.request)?.name
}

/** All that the vault holds, opened with its key. */
async function vaultText(dir: string): Promise<string> {
  const store = fileStore({ dir: join(dir, 'store'), key: await keyFromFile(join(dir, 'key')) })
  const values: string[] = []
  for (const kind of ['credential', 'registration'] as const) {
    const page = await store.list({ kind })
    expect(page.damaged).toEqual([])
    values.push(...page.records.map((record) => record.value))
  }
  return values.join('\n')
}

async function expectReadable(dir: string, label: string): Promise<void> {
  const files = await readdir(join(dir, 'store'), { recursive: true })
  expect(
    files.filter((file) => file.includes('damaged')),
    label,
  ).toEqual([])
  const all = await Promise.all(
    files
      .filter((file) => file.endsWith('.json'))
      .map((file) => readFile(join(dir, 'store', file), 'utf8')),
  )
  expect(all.join('\n'), label).not.toContain('KEY01')
}
