import { setTimeout as sleep } from 'node:timers/promises'
import { AuthError, type Outcome, type OutcomeOf } from '@authmd/core'
import { promptPerson, readLine, showNeed } from '@authmd/core/node'
import type { Screen } from './screen.ts'
import { loginName } from './settings.ts'
import { line, quoted } from './text.ts'
import type { World } from './world.ts'

/** What the command line was given for the questions on the way. */
export interface Given {
  /** Digest of the one action that is agreed to. */
  readonly approve?: string | undefined
  /** Answer to a puzzle; for the first one alone. */
  readonly answer?: string | undefined
  /** How long to wait in all for what goes on by itself. */
  readonly patienceMs: number
}

export interface Drive {
  readonly world: World
  readonly screen: Screen
  readonly given: Given
  /** Told of each registration that is on the way, for whoever ends the program. */
  readonly at: (registration: string) => void
}

/** On a terminal a person is there to stop it. */
export const terminalPatienceMs: number = 10 * 60_000
const leastWaitMs = 1_000

/**
 * Runs a verb and goes on with it as far as it goes: asks the person at the terminal for what is needed and
 * waits for what comes by itself. Where nobody can be asked the outcome stands as it is.
 *
 * @throws AuthError what the verbs throw, and `aborted` where the person gives up
 */
export async function seeThrough(
  drive: Drive,
  run: () => Promise<Outcome>,
  what: string,
): Promise<Outcome> {
  const { screen, given, at } = drive
  const asking = new Asking(drive, run)
  const end = Date.now() + given.patienceMs
  for (let step: Step = () => screen.busy(what, run); ; ) {
    const outcome = await step()
    if (outcome.registration !== undefined) at(outcome.registration)
    const next =
      outcome.status === 'pending'
        ? waiting(drive, run, outcome, end)
        : await asking.next(outcome, step)
    if (next === undefined) return outcome
    step = next
  }
}

type Step = () => Promise<Outcome>

function waiting(
  { world, screen }: Drive,
  run: () => Promise<Outcome>,
  { notBefore, reason, registration }: OutcomeOf<'pending'>,
  end: number,
): Step | undefined {
  const due = Math.max(notBefore, Date.now() + leastWaitMs)
  if (due > end) return undefined
  return () =>
    screen.busy(line(reason).replace(/\.$/, ''), async () => {
      await sleep(due - Date.now())
      if (registration === undefined) return run()
      return world.session.claim({ registration }, world.call)
    })
}

/** Puts questions to the person at the terminal, or takes what the command line was given for them. */
class Asking {
  readonly #drive: Drive
  readonly #run: () => Promise<Outcome>
  #answer: string | undefined
  /** After something was handed over, which is kept: the call that goes on from there. */
  #goesOn: Step | undefined

  constructor(drive: Drive, run: () => Promise<Outcome>) {
    this.#drive = drive
    this.#run = run
    this.#answer = drive.given.answer
  }

  /** What to do next; undefined where the outcome stands. `step` is what it came of. */
  async next(outcome: Outcome, step: Step): Promise<Step | undefined> {
    switch (outcome.status) {
      case 'needs_consent':
        return this.#consent(outcome, step)
      case 'needs_answer':
        return this.#puzzle(outcome)
      case 'needs_person':
        return this.#person(outcome)
      default:
        return undefined
    }
  }

  /** A consent is for a call: the same one is made again. */
  async #consent({ consent, action }: OutcomeOf<'needs_consent'>, step: Step) {
    const { world, screen, given } = this.#drive
    const { session, auth } = world
    if (given.approve === action.digest) {
      // Not `people`: a policy may want a person's own word, which an argument is not.
      const approver = approverBy('--approve')
      await session.decide(consent, { approved: true, approver, channel: 'cli' })
      return this.#goesOn ?? step
    }
    if (!screen.asks) return undefined
    screen.note('\nThis needs your agreement:', 'bold')
    for (const text of action.summary.split('\n')) screen.note(`  ${line(text, 4_000)}`)
    const approve = await yes('Agree to exactly this? (y/N) ')
    await auth.people.answer(consent, { approve }, { approver: approverBy('terminal') })
    return this.#goesOn ?? step
  }

  async #puzzle({ problem, form, notice, registration, service = '' }: OutcomeOf<'needs_answer'>) {
    const { world, screen } = this.#drive
    const { session, call } = world
    if (registration === undefined || (this.#answer === undefined && !screen.asks)) return undefined
    let answer = this.#answer
    this.#answer = undefined
    if (answer === undefined) {
      screen.note(`\nThe service asks a puzzle before it lets anybody in:`, 'bold')
      for (const text of quoted(problem, 2_000)) screen.note(text)
      if (notice !== undefined) screen.note(line(notice), 'yellow')
      answer = await readLine(`Answer (${line(form)}): `, process.stdin, process.stderr)
    }
    const said = answer
    this.#goesOn = undefined
    return () =>
      screen.busy('Answering', async () => {
        const outcome = await session.register({ service, registration, answer: said }, call)
        if (outcome.status !== 'refused' || outcome.code !== 'answer_form' || !screen.asks)
          return outcome
        screen.note(line(outcome.reason), 'yellow')
        return session.register({ service, registration }, call)
      })
  }

  async #person({ need, registration, service, notice }: OutcomeOf<'needs_person'>) {
    const { world, screen } = this.#drive
    if (!screen.asks) return undefined
    screen.note('')
    if (registration !== undefined) {
      const about = {
        id: registration,
        need,
        ...(service && { service }),
        ...(notice && { notice }),
      }
      const goesOn = () =>
        screen.busy('Going on', () => world.session.claim({ registration }, world.call))
      this.#goesOn = goesOn
      // Done elsewhere meanwhile, as in a browser: then it is looked at where that led.
      return async () => (await promptPerson(world.auth, about)) ?? goesOn()
    }
    if (notice !== undefined) screen.note(line(notice), 'yellow')
    showNeed(need)
    await readLine('Press Enter when it is done. ', process.stdin, process.stderr)
    return () => screen.busy('Checking', this.#run)
  }
}

export async function yes(question: string): Promise<boolean> {
  return /^y(es)?$/i.test((await readLine(question, process.stdin, process.stderr)).trim())
}

/** Who decided, for the record. */
function approverBy(how: string): string {
  return `${loginName()} (${how})`
}

/** Whether an error says that the person at the terminal gave up. */
export function gaveUp(error: unknown): boolean {
  return AuthError.isInstance(error) && error.code === 'aborted'
}
