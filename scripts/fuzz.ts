// Tries made inputs on the parts that read what others wrote, for as long as it is told to.
import { parseArgs } from 'node:util'
import { fuzz, keepFailure } from '../packages/core/fuzz/run.ts'
import { targets } from '../packages/core/fuzz/targets.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    target: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
  },
})
const [minutes, seed] = [Number(values.minutes), Number(values.seed)]
const chosen = targets.filter(({ name }) => name === (values.target ?? name))
if (!(minutes > 0) || !Number.isInteger(seed) || chosen.length === 0) {
  const names = targets.map(({ name }) => name).join(', ')
  console.error(`fuzz --minutes N [--seed S] [--target T], T one of ${names}`)
  process.exit(2)
}

const end = Date.now() + minutes * 60_000
let failures = 0
for (const [at, target] of chosen.entries()) {
  const now = Date.now()
  const { runs, failure } = await fuzz(target, seed, now + (end - now) / (chosen.length - at))
  console.log(`${target.name.padEnd(12)} ${runs} runs, seed ${seed}${failure ? ', FAILED' : ''}`)
  if (failure === undefined) continue
  failures++
  console.log(`  ${failure.error.slice(0, 2_000)}\n  ${keepFailure(target, failure.input)}`)
}
console.log(failures === 0 ? 'nothing found' : `${failures} targets failed`)
process.exitCode = failures === 0 ? 0 : 1
