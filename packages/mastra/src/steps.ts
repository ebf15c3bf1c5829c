import type { AuthTool, Outcome, RegisterInput, Verb } from '@authmd/core'
import { AuthError, authTools } from '@authmd/core'
import type { DefaultEngineType, Step, Workflow } from '@mastra/core/workflows'
import { createStep, createWorkflow } from '@mastra/core/workflows'
import { z } from 'zod'
import type { Gate } from './approval.ts'
import { type Pause, pauseOf, pauseSchema } from './pause.ts'
import { run, type VerbInput } from './tools.ts'

const channel = 'mastra-workflow'

/** What a step gives the next: plain JSON without a secret. */
export interface StepOutput {
  readonly text: string
  readonly outcome: Outcome
}
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

function makeStep({ name, verb, description, inputSchema }: AuthTool, gate: Gate): unknown {
  return createStep({
    id: name,
    description,
    inputSchema: inputSchema as z.ZodType<Record<string, unknown>>,
    outputSchema,
    suspendSchema: pauseSchema,
    resumeSchema,
    execute: async ({ inputData, resumeData, suspendData, suspend, requestContext, writer }) => {
      const pause = pauseSchema.safeParse(suspendData).data
      const { answer, consent, approve: approved } = resumeSchema.parse(resumeData)
      const { verb: now, input } = pause ?? { verb, input: inputData }
      const call = { verb: now, input: pause?.for === 'answer' ? { ...input, answer } : input }
      const context = { requestContext, writer }
      const { text, outcome, error } = await run(gate, call, context, async (session) => {
        if (pause?.for === 'consent' && consent !== undefined && approved !== undefined) {
          const decision = { approved, approver: gate.approver, channel }
          // An id that is none, or closed, decides nothing: the step then asks again.
          await session.decide(consent, decision).catch(() => {})
        }
        return { channel }
      })
      const useless = error !== undefined || (outcome?.status === 'refused' && goesOn(outcome.code))
      if (pause && useless) return suspend({ ...pause, notice: text })
      // Without its cause, which Mastra would write down.
      if (outcome === undefined) throw new AuthError(error?.code ?? 'method_failed', text)
      const wait = pauseOf(call, outcome)
      // What a registration waits for once it is begun is for the claim.
      const begun = verb === 'register' && (wait?.for === 'person' || wait?.for === 'time')
      return wait && !begun ? suspend(wait) : { text, outcome }
    },
  })
}

/** A resume that was of no use must not end the run: another may come. */
function goesOn(code: string): boolean {
  return code === 'answer_form' || code === 'service_unreachable'
}

type Wanted = Pick<RegisterInput, 'service' | 'method' | 'email'>
const wanted: z.ZodType<Wanted> = z.object({
  service: z.string(),
  method: z.string().optional(),
  email: z.string().optional(),
})
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
  return createWorkflow({ id: 'auth_obtain', inputSchema: wanted, outputSchema })
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
