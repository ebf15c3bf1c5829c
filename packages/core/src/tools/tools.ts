import { z } from 'zod'
import type { Verb } from '../consent/action.ts'
import type { Call } from '../consent/ledger.ts'
import { AuthError } from '../errors.ts'
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

/** One of the five tools, framework-neutral. */
export interface AuthTool {
  readonly name: `auth_${Verb}`
  readonly verb: Verb
  readonly title: string
  readonly description: string
  readonly inputSchema: z.ZodObject
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
    run: (session, input) => session.discover(input as DiscoverInput),
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
    inputSchema: z.object({ registration }),
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
    run: async (session, input, call) => {
      try {
        const outcome = await run(session, input, call)
        return { outcome, text: renderOutcome(outcome) }
      } catch (error) {
        if (!AuthError.isInstance(error)) throw unexpected(error)
        return { error, text: ownLine(`error ${error.code}: ${error.message}`, 500) }
      }
    },
  }
})

/** A message that we did not write may quote what it should not: it stays in the cause. */
function unexpected(error: unknown): AuthError {
  return new AuthError('method_failed', 'authmd failed unexpectedly', { cause: error })
}
