// Many processes with one store: four with 250 uses at once of a token that has ended, while workers are killed,
// the store is killed, paused, slowed and cut off, and the token endpoint fails. What came of it is held
// against the ledger of the sandbox, and against what the store had acknowledged.
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'tsdown'
import { startSandbox } from '../packages/sandbox/src/index.ts'
import { BadNetwork } from './soak-fleet/bad-network.ts'
import { type Result, type Size, Soak } from './soak-fleet/scenario.ts'
import { type OwnServer, ownServer, type StoreKind } from './soak-fleet/servers.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    store: { type: 'string', multiple: true, default: ['postgres', 'redis', 'file'] },
    rounds: { type: 'string', default: '5' },
    calls: { type: 'string' },
  },
})
const kinds = values.store.filter((one): one is StoreKind => /^(postgres|redis|file)$/.test(one))
const calls = Number(values.calls ?? (values.quick ? 100 : 250))
const rounds = values.quick ? 1 : Number(values.rounds)
if (
  kinds.length !== values.store.length ||
  ![calls, rounds].every((one) => Number.isInteger(one) && one > 0)
) {
  console.error('soak:fleet [--quick] [--rounds N] [--calls N] [--store postgres|redis|file]…')
  process.exit(2)
}
const size: Size = values.quick
  ? { calls, callsInFault: Math.ceil(calls / 10), rounds, leaseShare: 0.1, seconds: 60, owners: 16 }
  : { calls, callsInFault: calls, rounds, leaseShare: 1, seconds: 180, owners: 64 }
const limitMinutes = values.quick ? 4 : 10 + 12 * rounds

const dir = mkdtempSync(join(tmpdir(), 'authmd-fleet-'))
// PostgreSQL runs as another user, below it.
chmodSync(dir, 0o711)
const began = performance.now()
// Beside the sources, so that the stores' clients are found.
const report = join(import.meta.dirname, '../.report')
mkdirSync(report, { recursive: true })
const programs = mkdtempSync(join(report, 'soak-fleet-'))
const servers: OwnServer[] = []
const soaks = new Map<StoreKind, Soak>()
// Whatever ends this process ends what it has started.
process.on('exit', () => {
  for (const soak of soaks.values()) soak.stop()
  for (const server of servers) server.kill()
  for (const one of [dir, programs]) {
    rmSync(one, { recursive: true, force: true, maxRetries: 5 })
  }
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => process.exit(130))
setTimeout(() => {
  console.error(`it has not come to an end within ${limitMinutes} minutes`)
  process.exit(1)
}, limitMinutes * 60_000).unref()

await build({
  entry: join(import.meta.dirname, 'soak-fleet/worker.ts'),
  outDir: programs,
  platform: 'node',
  deps: { alwaysBundle: [/./], neverBundle: ['pg', 'redis'] },
  inputOptions: { resolve: { conditionNames: ['@authmd/source', 'node', 'import', 'default'] } },
  config: false,
  dts: false,
  logLevel: 'error',
})

async function prepare(kind: StoreKind): Promise<Soak | undefined> {
  const own = join(dir, kind)
  mkdirSync(own, { mode: kind === 'file' ? 0o700 : 0o711 })
  const server = await ownServer(kind, own)
  if (server === undefined && kind !== 'file') {
    console.error(`${kind}: no server is installed, so this store is left out`)
    if (process.env.CI) process.exitCode = 1
    return undefined
  }
  if (server) {
    servers.push(server)
    await server.up()
  }
  const network = server && (await BadNetwork.start(server.port))
  const direct = { kind, port: server?.port ?? 0, dir: own }
  const sandbox = await startSandbox({
    authMd: { version: 'hosted' },
    oauth: { refresh: 'rotating' },
  })
  const soak = new Soak({
    program: join(programs, 'worker.mjs'),
    place: network ? { ...direct, port: network.port } : direct,
    direct,
    sandbox,
    ...(server && network ? { server, network } : {}),
    size,
    say: (line) => {
      const seconds = ((performance.now() - began) / 1_000).toFixed(1)
      console.error(`${kind.padEnd(8)} ${seconds.padStart(6)} s  ${line}`)
    },
  })
  soaks.set(kind, soak)
  return soak
}

// One store is measured after the other; what takes its time because something is down can go on side by side.
for (const kind of kinds) await (await prepare(kind))?.measure()
const ends = await Promise.allSettled([...soaks.values()].map((soak) => soak.disturb()))
const results: Partial<Record<StoreKind, Result>> = {}
for (const [kind, soak] of soaks) {
  results[kind] = soak.result
  for (const line of soak.wrong) console.error(`${kind}: WRONG: ${line}`)
  if (soak.wrong.length > 0) process.exitCode = 1
}
for (const end of ends) {
  if (end.status === 'fulfilled') continue
  console.error(end.reason)
  process.exitCode = 1
}
console.log(JSON.stringify(results))
process.exit()
