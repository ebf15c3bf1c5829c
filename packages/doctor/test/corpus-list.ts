import { readdirSync, readFileSync } from 'node:fs'
import { diagnose } from '../src/index.ts'

const dir = '/work/shared/corpus/documents/'
for (const f of readdirSync(dir)) {
  const r = await diagnose({ text: readFileSync(dir + f, 'utf8') })
  console.log('=== ' + f)
  for (const x of r.findings)
    console.log(' ', x.severity.slice(0, 4), x.rule, x.place.line, '|', x.problem.slice(0, 230))
}
