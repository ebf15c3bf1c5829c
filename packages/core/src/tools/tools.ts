import { z } from 'zod'
import type { Action, Verb } from '../consent/action.ts'
import type { Call } from '../consent/ledger.ts'
import { AuthError, type AuthErrorCode } from '../errors.ts'
import type { ClaimInput, DiscoverInput, RegisterInput, RevokeInput, UseInput } from '../inputs.ts'
import type { Outcome } from '../outcome.ts'
import type { Session } from '../session.ts'
import { renderOutcome } from './render.ts'
import { ownLine } from './service-text.ts'

/** What a tool gives back: the outcome for the application, the text for the model. */
export interface ToolResult {
  /** Absent where the input was at fault or something broke: `error` says what. */
  readonly outcome?: Outcome
  readonly error?: AuthError
  readonly text: string
}

/** A {@link ToolResult} as plain JSON without a secret, for an application and its UI. */
export interface ToolOutput {
  /** All that the model is given. */
  readonly text: string
  readonly outcome?: Outcome
  /** Set instead of `outcome` where the input was at fault or a store or a service broke. */
  readonly error?: { readonly code: AuthErrorCode; readonly message: string }
}

/** A tool as an adapter hands it to its framework: one of the five, or a mounted one of a service. */
export interface AuthTool {
  readonly name: string
  readonly verb: Verb
  readonly title: string
  readonly description: string
  readonly inputSchema: z.ZodType<Readonly<Record<string, unknown>>>
  /** What the framework has to ask a person about a call with this input; no network, no write. */
  preview(session: Session, input: unknown): Promise<Action | undefined>
  run(session: Session, input: unknown, call: Call): Promise<ToolResult>
}

interface Spec {
  readonly title: string
  readonly description: string
  readonly inputSchema: z.ZodObject
  run(session: Session, input: unknown, call: Call): Promise<Outcome>
}

const service = z.string().describe('URL of the service, without query')
const registration = z.string().describe('id of a registration')

const specs: Readonly<Record<Verb, Spec>> = {
  discover: {
    title: 'Find out how a service gives access',
    description:
      'Find out how an agent gets access to a service, and what is held already. Call it first. Without service: all that is held or waits.',
    inputSchema: z.object({ service: service.optional() }),
    run: (session, input, call) => session.discover(input as DiscoverInput, call),
  },
  register: {
    title: 'Register at a service',
    description:
      'Begin to get a credential, or go on with it: give registration and answer when a puzzle was shown. A person may be asked to agree.',
    inputSchema: z.object({
      service,
      method: z.string().optional().describe('method of an offer; the best one by default'),
      registration: registration.optional(),
      answer: z.string().optional().describe('answer to the puzzle, one line'),
      email: z.string().optional().describe('address to propose, if the person named one'),
    }),
    run: (session, input, call) => session.register(input as RegisterInput, call),
  },
  claim: {
    title: 'See a registration through',
    description: 'Look where a registration stands and move it on by one step.',
    inputSchema: z.object({
      registration,
      code: z
        .string()
        .max(40)
        .optional()
        .describe('read out by the person; only where a result asks for it'),
    }),
    run: (session, input, call) => session.claim(input as ClaimInput, call),
  },
  use: {
    title: 'Call the service',
    description:
      'Send one request to a service with its credential, which is added by itself. A person must agree to any request but GET and HEAD.',
    inputSchema: z.object({
      service: service.optional(),
      credential: z.string().optional().describe('handle, if a service has several'),
      method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']).optional(),
      path: z.string().describe('whole path from the root, such as /v2/things'),
      query: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
      headers: z.record(z.string(), z.string()).optional(),
      json: z.unknown().optional().describe('JSON body'),
    }),
    run: (session, input, call) => session.use(input as UseInput, call),
  },
  revoke: {
    title: 'Give a credential up',
    description:
      'End a credential for good; a person may have to delete it at the service. With replace a new one is made first, and the old one stays in use until that works.',
    inputSchema: z.object({
      credential: z.string().describe('handle of the credential'),
      replace: z.boolean().optional(),
    }),
    run: (session, input, call) => session.revoke(input as RevokeInput, call),
  },
}

/** The five tools in their order. Each returns data, also for bad input; only a fault of ours throws. */
export const authTools: readonly AuthTool[] = (Object.keys(specs) as Verb[]).map((verb) => {
  const { title, description, inputSchema, run } = specs[verb]
  return {
    name: `auth_${verb}`,
    verb,
    title,
    description,
    inputSchema,
    preview: async (session, input) => {
      const given = namedInput(inputSchema, input)
      return session.outOfBand ? undefined : session.preview(verb, given)
    },
    run: (session, input, call) => told(() => run(session, namedInput(inputSchema, input), call)),
  }
})

/** What a call's input says under the names of the schema. A model that must name every field says null for none. */
export function namedInput(schema: AuthTool['inputSchema'], input: unknown): unknown {
  if (!(schema instanceof z.ZodObject) || typeof input !== 'object' || input === null) return input
  const given = input as Readonly<Record<string, unknown>>
  const fields = Object.keys(schema.shape).map((name) => [name, given[name]] as const)
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined && value !== null))
}

/** Runs a verb for a tool: an outcome or a fault of the input, each with the text for the model. */
export async function told(run: () => Promise<Outcome>): Promise<ToolResult> {
  try {
    const outcome = await run()
    return { outcome, text: renderOutcome(outcome) }
  } catch (error) {
    if (AuthError.isInstance(error)) return faultResult(error)
    throw unexpected(error)
  }
}

/** What a tool gives back where something went wrong before its verb could run. */
export function faultResult(thrown: unknown): ToolResult {
  const error = AuthError.isInstance(thrown) ? thrown : unexpected(thrown)
  return { error, text: ownLine(`error ${error.code}: ${error.message}`, 500) }
}

export function toolOutput({ text, outcome, error }: ToolResult): ToolOutput {
  if (error) return { text, error: { code: error.code, message: error.message } }
  return outcome ? { text, outcome } : { text }
}

/** A message that we did not write may quote what it should not: it stays in the cause. */
function unexpected(error: unknown): AuthError {
  return new AuthError('method_failed', 'authmd failed unexpectedly', { cause: error })
}
