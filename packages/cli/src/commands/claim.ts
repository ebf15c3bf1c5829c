import type { Outcome, PersonDecision, PersonNeed } from '@authmd/core'
import { seeThrough } from '../drive.ts'
import { type AddCommand, type DriveFlags, UsageError } from '../job.ts'
import { readStandardInput } from '../standard-input.ts'
import { resultOf } from '../words.ts'
import type { World } from '../world.ts'
import { answering, examples } from './options.ts'

interface ClaimFlags extends DriveFlags {
  readonly stdin?: boolean
}

export const claim: AddCommand = (program, runs) => {
  const command = answering(program.command('claim <registration>'))
    .summary('see a registration through')
    .description(
      'See a registration through: look where it stands, hand over what it waits for, or have a person claim what was issued to nobody.',
    )
    .option('--email <address>', 'the address to register with')
    .option(
      '--stdin',
      'hand over the key, link or code on standard input, and what goes beside a key below it',
    )
  examples(command, 'authmd claim reg_…', 'pass show vendor/key | authmd claim reg_… --stdin')
  runs<ClaimFlags>(command, async ({ flags, drive, resume }, registration = '') => {
    resume(`authmd claim ${registration}`)
    const handed = flags.stdin ? await readStandardInput('--stdin') : undefined
    const one = await drive()
    const { world } = one
    const first = async () => {
      const outcome = await look(world, registration)
      if (handed !== undefined) return handOver(world, outcome, handed)
      return wantsAddress(outcome, flags.email)
        ? handOver(world, outcome, flags.email ?? '', '--email')
        : outcome
    }
    return resultOf(await seeThrough(one, first, 'Looking where it stands'))
  })
}

/** One step by itself; what is nobody's yet is then claimed for a person. */
async function look({ session, call }: World, registration: string): Promise<Outcome> {
  const outcome = await session.claim({ registration }, call)
  if (outcome.status !== 'ready' || outcome.service === undefined) return outcome
  return session.register({ service: outcome.service, registration }, call)
}

/** Whether it waits for the address that was given, and has not just refused it. */
function wantsAddress(outcome: Outcome, email: string | undefined): boolean {
  if (outcome.status !== 'needs_person' || email === undefined) return false
  return outcome.need.kind === 'give-email' && !outcome.notice?.includes(email)
}

async function handOver(
  { auth }: World,
  outcome: Outcome,
  given: string,
  approver = 'standard input',
): Promise<Outcome> {
  const { registration } = outcome
  const need = 'need' in outcome ? outcome.need : undefined
  if (registration === undefined || need === undefined) {
    throw new UsageError(`nothing is handed over now: the registration is ${outcome.status}`)
  }
  return (await auth.people.answer(registration, decisionOf(need, given), { approver })) as Outcome
}

function decisionOf({ kind, beside = [] }: PersonNeed, given: string): PersonDecision {
  const [first = '', ...rest] = given.split(/\r?\n/)
  switch (kind) {
    case 'paste-key': {
      const more = beside.map(({ name }, at) => [name, rest[at] ?? ''] as const)
      return more.length === 0
        ? { secret: given }
        : { secret: first, beside: Object.fromEntries(more) }
    }
    case 'open-mail':
      return { link: given }
    case 'read-code':
      return { code: given }
    case 'give-email':
      return { email: given }
    default:
      return { done: true }
  }
}
