// pnpm bench [-- --quick] [--json] [--only GROUP] [--budgets]
import { parseArgs } from 'node:util'
import { overBudget } from './budgets.ts'
import { context } from './context.ts'
import { fetchGroup } from './fetch.ts'
import type { Figure, Group } from './figure.ts'
import { imports } from './imports.ts'
import { reader } from './reader.ts'
import { redactor } from './redactor.ts'
import { roundTrips } from './round-trips.ts'
import { stores } from './stores.ts'

const groups: readonly Group[] = [
  roundTrips,
  context,
  fetchGroup,
  redactor,
  reader,
  stores,
  imports,
]
const exact: readonly Group[] = [roundTrips, context, imports]

const flag = { type: 'boolean', default: false } as const
const { values, positionals } = parseArgs({
  // pnpm hands on the `--` that its own options end with.
  args: process.argv.slice(2).filter((one) => one !== '--'),
  allowPositionals: true,
  options: { quick: flag, json: flag, budgets: flag, only: { type: 'string' } },
})
const names = groups.map(({ name }) => name)
const { only } = values
if (positionals.length > 0 || (only !== undefined && !names.includes(only))) {
  console.error(`bench [--quick] [--json] [--budgets] [--only ${names.join('|')}]`)
  process.exit(2)
}

const print = values.json ? console.error : console.log
const chosen = (values.budgets ? exact : groups).filter(
  ({ name }) => only === undefined || name === only,
)
const found: Figure[] = []
for (const group of chosen) {
  print(`\n${group.name}`)
  const settings = {
    quick: values.quick,
    exactOnly: values.budgets,
    note: (line: string) => print(`  ${line}`),
  }
  for await (const figure of group.figures(settings)) {
    found.push(figure)
    print(`  ${lineOf(figure)}`)
  }
}

const complaints = values.budgets ? overBudget(found, only === undefined) : []
for (const complaint of complaints) console.error(complaint)
process.exitCode = complaints.length === 0 ? 0 : 1

const entries = found.map((one) => [
  one.name,
  {
    value: rounded(one.value),
    reference: one.reference === null ? null : rounded(one.reference),
    ratio: one.ratio === null ? null : rounded(one.ratio),
    ...(one.spread && { spread: one.spread.map(rounded) }),
    unit: one.unit,
    goal: one.goal?.text ?? null,
    holds: one.goal ? one.goal.holds(one) : null,
  },
])
print('')
console.log(JSON.stringify(Object.fromEntries(entries)))

function lineOf({ name, unit, value, reference, against, ratio, spread, goal, ...rest }: Figure) {
  const beside = reference === null ? '' : ` · ${against} ${rounded(reference)}`
  const range = spread ? ` (${rounded(spread[0])} to ${rounded(spread[1])})` : ''
  const compared = ratio === null ? '' : ` · ratio ${rounded(ratio)}${range}`
  const said = goal?.holds({ value, ratio, ...rest }) ? 'holds' : 'DOES NOT HOLD'
  const wanted = goal ? ` · goal ${goal.text}: ${said}` : ''
  return `${name}: ${rounded(value)} ${unit}${beside}${compared}${wanted}`
}

/** To three digits, or to a whole number where it is larger. */
function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3))
}
