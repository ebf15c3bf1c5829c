import type { MountOptions, Owner } from '@authmd/core'
import type { World } from './world.ts'

export interface Call {
  readonly tool: string
  readonly input: Readonly<Record<string, unknown>>
}

/** What the scripted model does next: call a tool, or several at once. */
export type Step = Call | readonly Call[]

/** A step that depends on what the model read reads the last text. */
export type Move = Step | ((said: string) => Step)

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

/**
 * What an application can put around our tools: the framework's ways of doing without approvals, an
 * approval function of its own that says nothing, and something that runs a tool again and swallows
 * what it throws.
 */
export type Around = 'no approvals' | 'a silent approval function' | 'everything twice'

export interface ChatOptions {
  readonly mode: Mode
  /** Whose chat it is, as the application says it; with `null` it names nobody. */
  readonly owner?: unknown
  readonly mount?: { readonly service: string; readonly options: MountOptions }
  readonly around?: Around
  /** What the framework's own tracing is given; without it tracing is off. */
  readonly tracing?: unknown
}

/** What somebody can do who reaches the application's endpoint, or what the framework has stored. */
interface Tamper {
  /** An approval of a call that nobody was asked about. */
  forge(call: Call): Promise<Turn>
  /** A yes to what is asked now, or to the first question alone, without sending it. */
  reply(which?: 'first'): Promise<unknown>
  /** Sends such a yes, which may be another chat's or have been sent already. */
  take(reply: unknown): Promise<Turn>
  /** Rewrites what is stored, wherever `from` stands in it. */
  alter(from: string, to: string): Promise<void>
  /** The chat as it was when it asked last, answered once more. */
  fork(approved: boolean): Promise<Turn>
}

export interface Chat {
  /** The person says something; the model makes these moves, one after the other. */
  say(moves: readonly Move[]): Promise<Turn>
  /** The person answers what was asked; then the model goes on with these moves. */
  answer(approved: boolean, moves?: readonly Move[], as?: Owner): Promise<Turn>
  readonly tamper: Tamper
  /** All that the framework has stored or let out so far, as text. */
  held(): Promise<string>
}

/** An adapter in its framework's real loop, with the framework's fake model. */
export interface Driver {
  readonly framework: 'ai-sdk' | 'langchain' | 'mastra'
  /** Outcomes that the framework tells in its own words or ways, and how. */
  readonly ownWords: Readonly<Record<string, string>>
  open(world: World, options: ChatOptions): Promise<Chat>
}
