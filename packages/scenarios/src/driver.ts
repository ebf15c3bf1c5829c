import type { MountOptions, Owner } from '@authmd/core'
import type { World } from './world.ts'

/** What the scripted model does next: call one tool. One that depends on what it read reads the last text. */
export type Move =
  | { readonly tool: string; readonly input: Readonly<Record<string, unknown>> }
  | ((said: string) => { readonly tool: string; readonly input: Readonly<Record<string, unknown>> })

/** `resume`: each answer is given to framework objects made anew over what the framework has stored. */
export const modes = ['generate', 'stream', 'resume'] as const
export type Mode = (typeof modes)[number]

/** Until a person is asked, the framework waits, or the model has nothing more to do. */
export interface Turn {
  /** What the tools told the model, oldest first. */
  readonly told: readonly string[]
  /** What the person is asked, in the words that the framework shows. */
  readonly asked: readonly string[]
  /** What the framework itself waits for a person to do. */
  readonly waits?: string
}

export interface ChatOptions {
  readonly mode: Mode
  /** Whose chat it is; with `null` the application names nobody. */
  readonly owner?: Owner | null
  readonly mount?: { readonly service: string; readonly options: MountOptions }
}

export interface Chat {
  /** The person says something; the model makes these moves, one after the other. */
  say(moves: readonly Move[]): Promise<Turn>
  /** The person answers what was asked; then the model goes on with these moves. */
  answer(approved: boolean, moves?: readonly Move[], as?: Owner): Promise<Turn>
}

/** An adapter in its framework's real loop, with the framework's fake model. */
export interface Driver {
  readonly framework: 'ai-sdk' | 'langchain' | 'mastra'
  /** Outcomes that the framework tells in its own words or ways, and how. */
  readonly ownWords: Readonly<Record<string, string>>
  open(world: World, options: ChatOptions): Promise<Chat>
}
