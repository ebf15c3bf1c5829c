import { userInfo } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { AuthError, type Outcome, type OutcomeOf, sameOwner } from '@authmd/core'
import { promptPerson, readLine, showNeed } from '@authmd/core/node'
import type { Screen } from './screen.ts'
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
  for (let step: () => Promise<Outcome> = () => screen.busy(what, run); ; ) {
    const outcome = await step()
    if (outcome.registration !== undefined) at(outcome.registration)
    const next =
      outcome.status === 'pending' ? waiting(drive, run, outcome, end) : await asking.next(outcome)
    if (next === undefined) return outcome
    step = next
  }
}

function waiting(
  { world, screen }: Drive,
  run: () => Promise<Outcome>,
  { notBefore, reason, registration }: OutcomeOf<'pending'>,
  end: number,
): (() => Promise<Outcome>) | undefined {
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

  constructor(drive: Drive, run: () => Promise<Outcome>) {
    this.#drive = drive
    this.#run = run
    this.#answer = drive.given.answer
  }

  /** What to do next; undefined where the outcome stands. */
  async next(outcome: Outcome): Promise<(() => Promise<Outcome>) | undefined> {
    switch (outcome.status) {
      case 'needs_consent':
        return this.#consent(outcome)
      case 'needs_answer':
        return this.#puzzle(outcome)
      case 'needs_person':
        return this.#person(outcome)
      default:
        return undefined
    }
  }

  async #consent({ consent, action }: OutcomeOf<'needs_consent'>) {
    const { world, screen, given } = this.#drive
    const { session, auth, call, owner } = world
    if (given.approve === action.digest) {
      // Not `people`: a policy may want a person's own word, which an argument is not.
      await session.decide(consent, {
        approved: true,
        approver: approver('--approve'),
        channel: 'cli',
      })
    } else {
      if (!screen.asks || !sameOwner(action.owner, owner)) return undefined
      screen.note('\nThis needs your agreement:', 'bold')
      for (const text of action.summary.split('\n')) screen.note(`  ${line(text, 4_000)}`)
      const approve = await yes('Agree to exactly this? (y/N) ')
      await auth.people.answer(consent, { approve }, { approver: approver('terminal') })
    }
    const { verb, registration, service } = action
    if (registration === undefined) return () => screen.busy('Doing it', this.#run)
    return () =>
      screen.busy('Doing it', () =>
        verb === 'register'
          ? session.register({ service, registration }, call)
          : session.claim({ registration }, call),
      )
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
      return () => promptPerson(world.auth, about)
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
function approver(how: string): string {
  return `${userInfo().username} (${how})`
}

/** Whether an error says that the person at the terminal gave up. */
export function gaveUp(error: unknown): boolean {
  return AuthError.isInstance(error) && error.code === 'aborted'
}
