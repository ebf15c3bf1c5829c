import type { Command } from 'commander'
import type { Drive, Given } from './drive.ts'
import { terminalPatienceMs } from './drive.ts'
import type { Result, Screen } from './screen.ts'

export type { Flags } from './settings.ts'

import { type Flags, type Settings, settingsOf } from './settings.ts'
import { openWorld, type World } from './world.ts'

/** Options that commands have for the questions on the way. */
export interface DriveFlags extends Flags {
  readonly approve?: string
  readonly answer?: string
  readonly wait?: string
}

/** One run of a command. */
export interface Job<F extends Flags = Flags> {
  readonly screen: Screen
  readonly flags: F
  readonly settings: Settings
  /** Opened when it is first asked for. */
  world(): Promise<World>
  drive(): Promise<Drive>
  /** What to say where the program is stopped from now on. */
  resume(command: string): void
  /** Resolves when the program is to stop, for a command that runs until then. */
  stopped(): Promise<void>
}

export type Handler<F extends Flags> = (job: Job<F>, ...args: string[]) => Promise<Result>

/** How the program runs the handlers that the commands give it. */
export type Runs = <F extends Flags>(command: Command, handler: Handler<F>) => Command

/** A command adds itself. */
export type AddCommand = (program: Command, runs: Runs) => void

interface JobParts<F extends Flags> {
  readonly screen: Screen
  readonly flags: F
  readonly resume: (command: string) => void
  readonly stopped: () => Promise<void>
}

/** Makes the job, and what closes it. */
export function jobOf<F extends Flags>(
  parts: JobParts<F>,
): { job: Job<F>; close(): Promise<void> } {
  const { screen, flags, resume } = parts
  let opened: Promise<World> | undefined
  const settings = settingsOf(flags)
  const world = () => {
    opened ??= openWorld(settings)
    return opened
  }
  const drive = async (): Promise<Drive> => {
    const { approve, answer, wait } = flags as DriveFlags
    const byDefault = screen.asks ? terminalPatienceMs : 0
    const given: Given = {
      approve,
      answer,
      patienceMs: wait === undefined ? byDefault : seconds(wait) * 1_000,
    }
    return { world: await world(), screen, given, at: (id) => resume(`authmd claim ${id}`) }
  }
  return {
    job: { ...parts, settings, world, drive },
    close: async () => (await opened?.catch(() => undefined))?.close(),
  }
}

function seconds(text: string): number {
  const value = Number(text)
  if (!/^\d{1,6}$/.test(text)) throw new UsageError('--wait is a number of seconds')
  return value
}

/** What was typed is wrong; the message names it and never repeats a value. */
export class UsageError extends Error {}
