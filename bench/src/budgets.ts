import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Figure } from './figure.ts'

const file = join(import.meta.dirname, '../budgets.json')

/**
 * What is wrong with the exact figures: above their budget, without one, or, where `all` were measured,
 * a budget that nothing is measured for.
 */
export function overBudget(figures: readonly Figure[], all: boolean): readonly string[] {
  const budgets: Readonly<Record<string, number>> = JSON.parse(readFileSync(file, 'utf8'))
  const exact = figures.filter((figure) => figure.exact)
  const complaints = exact.flatMap(({ name, unit, value }) => {
    const budget = budgets[name]
    if (budget === undefined) return [`${name} is ${value} ${unit} and has no budget`]
    return value > budget ? [`${name} is ${value} ${unit}, its budget is ${budget}`] : []
  })
  if (!all) return complaints
  const known = new Set(exact.map(({ name }) => name))
  const idle = Object.keys(budgets).filter((name) => !known.has(name))
  return [...complaints, ...idle.map((name) => `${name} has a budget and is not measured`)]
}
