import type { FailOn } from '@authmd/doctor'
import { Option } from 'commander'
import { exits } from '../exit.ts'
import { type AddCommand, type Flags, UsageError } from '../job.ts'
import { examples } from './options.ts'

interface DoctorFlags extends Flags {
  readonly markdown?: boolean
  readonly failOn: FailOn
  readonly publishedAt?: string
}

export const doctor: AddCommand = (program, runs) => {
  const command = program
    .command('doctor <url-or-file>')
    .summary('check what a service publishes for agents')
    .description(
      'For publishers: check a service, or a text before it is published, against auth.md and the RFCs. Only reads, and registers nothing.',
    )
    .option('--markdown', 'the report as Markdown, for an issue or a pull request')
    .addOption(
      new Option('--fail-on <severity>', 'from which severity on the exit code is 8')
        .choices(['error', 'warning', 'hint', 'never'])
        .default('error'),
    )
    .option('--published-at <url>', 'where the file is, or will be, published')
  examples(
    command,
    'authmd doctor https://api.vendor.example',
    'authmd doctor public/auth.md --published-at https://vendor.example/auth.md --fail-on warning',
  )
  runs<DoctorFlags>(command, async ({ flags, screen, settings }, target = '') => {
    const { failOn, markdown = false, publishedAt } = flags
    if (markdown && screen.json) throw new UsageError('--json and --markdown exclude each other')
    const { loopback } = settings
    const { examine, fails, renderMarkdown, renderTable } = await import('@authmd/doctor')
    const report = await screen.busy('Reading what is published', () =>
      examine(target, { loopback, ...(publishedAt === undefined ? {} : { publishedAt }) }),
    )
    const text = markdown ? renderMarkdown(report) : renderTable(report, screen.page)
    return {
      exit: fails(report, failOn) ? exits.findings : exits.done,
      data: { report },
      lines: [text.trimEnd()],
    }
  })
}
