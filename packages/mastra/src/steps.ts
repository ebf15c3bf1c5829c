import {
  AuthError,
  type AuthTool,
  authTools,
  type Outcome,
  type Pause,
  pauseOf,
  pauseSchema,
  type RegisterInput,
  type ToolOutput,
  type Verb,
} from '@authmd/core'
import type { DefaultEngineType, Step, Workflow } from '@mastra/core/workflows'
import { createStep, createWorkflow } from '@mastra/core/workflows'
import { z } from 'zod'
import type { Gate } from './approval.ts'
import { run, type VerbInput } from './tools.ts'
import { writeDown } from './watch.ts'

const channel = 'mastra-workflow'

/** What a step gives the next: plain JSON without a secret. */
export type StepOutput = Required<Omit<ToolOutput, 'error'>>
const outputSchema: z.ZodType<StepOutput> = z.object({
  text: z.string(),
  outcome: z.looseObject({ status: z.string() }) as unknown as z.ZodType<Outcome>,
})

/** What a step is resumed with; with none of it, it looks again. */
export interface StepResume {
  /** To a puzzle. */
  readonly answer?: string | undefined
  /** The id of a consent, as `onPersonNeeded` was told it, and the person's decision. */
  readonly consent?: string | undefined
  readonly approve?: boolean | undefined
}
// Loose: data that fails the schema would use the pause up.
const resumeSchema: z.ZodType<StepResume> = z
  .object({ answer: z.string(), consent: z.string(), approve: z.boolean() })
  .partial()
  .catch({})

type AuthStep<V extends Verb> = Step<
  `auth_${V}`,
  unknown,
  VerbInput<V>,
  StepOutput,
  StepResume,
  Pause
>

/** The verbs as steps. They suspend for whatever they wait for; what is refused is an output as well. */
export type AuthSteps = { readonly [V in Verb as `${V}Step`]: AuthStep<V> }

export function makeSteps(gate: Gate): AuthSteps {
  const made = authTools.map((one) => [`${one.verb}Step`, makeStep(one, gate)])
  return Object.fromEntries(made) as AuthSteps
}

function makeStep(own: AuthTool, gate: Gate): unknown {
  const { name: id, description, inputSchema } = own
  return createStep({
    id,
    description,
    inputSchema,
    outputSchema,
    suspendSchema: pauseSchema,
    resumeSchema,
    execute: async ({ inputData, resumeData, suspendData, suspend, ...more }) => {
      const { requestContext, writer, runId, workflowId: workflow } = more
      const stop = async (at: Pause) => {
        await writeDown(gate, requestContext, at, { workflow, runId })
        return suspend(at)
      }
      const pause = pauseSchema.safeParse(suspendData).data
      const { answer, consent, approve: approved } = resumeSchema.parse(resumeData)
      const { verb, input: given } = pause ?? { verb: own.verb, input: inputData }
      const input = pause?.for === 'answer' ? { ...given, answer } : given
      const tool = authTools.find((one) => one.verb === verb) ?? own
      const context = { requestContext, writer }
      const result = await run(gate, { tool, input }, context, async (session) => {
        if (pause?.for === 'consent' && consent !== undefined && approved !== undefined) {
          const decision = { approved, approver: gate.approverFor(session), channel }
          // An id that is none, or closed, decides nothing: the step then asks again.
          await session.decide(consent, decision).catch(() => {})
        }
        return { channel }
      })
      const { text, outcome, error } = result
      // A resume that was of no use must not end the run: another may come.
      const code = outcome?.status === 'refused' ? outcome.code : undefined
      const useless = error || code === 'answer_form' || code === 'service_unreachable'
      if (pause && useless) return stop({ ...pause, notice: text })
      // Without its cause, which Mastra would write down.
      if (outcome === undefined) throw new AuthError(error?.code ?? 'method_failed', text)
      const wait = pauseOf({ verb, input }, outcome)
      // What a registration waits for once it is begun is for the claim.
      const begun = own.verb === 'register' && (wait?.for === 'person' || wait?.for === 'time')
      return wait && !begun ? stop(wait) : { text, outcome }
    },
  })
}

type Wanted = Pick<RegisterInput, 'service' | 'method' | 'email'>
export type AuthWorkflow = Workflow<
  DefaultEngineType,
  Step[],
  'auth_obtain',
  unknown,
  Wanted,
  StepOutput,
  StepOutput
>

/** From a service to a credential for it; where the way ends earlier, the result says how. */
export function makeWorkflow({ discoverStep, registerStep, claimStep }: AuthSteps): AuthWorkflow {
  const { inputSchema } = registerStep
  return createWorkflow({ id: 'auth_obtain', inputSchema, outputSchema })
    .then(discoverStep)
    .map(async ({ inputData, getInitData, bail }) => {
      return inputData.outcome.status === 'found' ? getInitData<Wanted>() : bail(inputData)
    })
    .then(registerStep)
    .map(async ({ inputData, bail }) => {
      const { status, registration } = inputData.outcome
      const over = status === 'ready' || status === 'refused' || registration === undefined
      return over ? bail(inputData) : { registration }
    })
    .then(claimStep)
    .commit() as unknown as AuthWorkflow
}
