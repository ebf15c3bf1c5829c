// The command as a program, for tests and for trying it out: `node --conditions=@authmd/source test/run.ts URL|FILE`.
import { parseArgs } from 'node:util'
import { type DoctorOptions, doctor } from '../src/index.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    'fail-on': { type: 'string', default: 'error' },
    'published-at': { type: 'string' },
  },
})
const { 'fail-on': failOn, 'published-at': publishedAt, json, markdown } = values
process.exitCode = await doctor(positionals[0] ?? '', {
  json,
  markdown,
  failOn: failOn as NonNullable<DoctorOptions['failOn']>,
  ...(publishedAt !== undefined && { publishedAt }),
})
process.exit()
