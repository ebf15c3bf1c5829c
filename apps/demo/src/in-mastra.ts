import { agentAuth } from '@authmd/mastra'
import { Agent } from '@mastra/core/agent'
import { Mastra } from '@mastra/core/mastra'
import { RequestContext } from '@mastra/core/request-context'
import { LibSQLStore } from '@mastra/libsql'
import { Memory } from '@mastra/memory'
import { scriptedModel } from './scripted-model.ts'
import type { Framework } from './story.ts'

/** What is read of a chunk. */
interface Chunk {
  readonly type: string
  readonly payload?: {
    readonly toolName?: string
    readonly toolCallId?: string
    readonly args?: unknown
    readonly result?: { readonly text?: string }
    readonly text?: string
  }
}

/** Mastra, with its runs and its memory stored in a file. */
export const inMastra: Framework = {
  name: 'mastra',
  title: 'Mastra, with a scripted model',
  open: async (stage) => {
    const authmd = agentAuth(stage.auth, {
      owner: (context) => (context.get('session') === 'kim' ? stage.owner : undefined),
      approver: 'kim',
    })
    const model = scriptedModel(stage.decide)
    let mounted = {}
    const storage = new LibSQLStore({ id: 'demo', url: `file:${stage.dir}/mastra.db` })
    const agent = new Agent({
      id: 'demo',
      name: 'demo',
      instructions: 'Do what the person asks.',
      model: model as never,
      tools: () => ({ ...authmd.tools, ...mounted }),
      memory: new Memory({ storage, options: { lastMessages: 100 } }),
    })
    new Mastra({ agents: { demo: agent }, storage, logger: false })
    const requestContext = new RequestContext([['session', 'kim']])
    const memory = { thread: 'demo', resource: 'kim' }
    const options = { requestContext, memory, maxSteps: 20 }
    let prompts = 0
    let paused: { runId: string; toolCallId: string } | undefined
    return {
      mount: async (service, options) => {
        mounted = (await authmd.mount(stage.owner, service, options)).tools
      },
      say: async (text) => {
        let run = paused
          ? await agent.resumeStream({}, { ...paused, ...options })
          : await agent.stream(text, options)
        paused = undefined
        for (;;) {
          const [question] = await hear(run.fullStream as AsyncIterable<unknown>)
          if (question === undefined) break
          const { runId } = run
          const { toolCallId, toolName, pause } = question
          if (pause) {
            paused = { runId, toolCallId }
            stage.waits(question.text, pause.need?.url)
            break
          }
          const answer = { runId, toolCallId, ...options }
          run = (await stage.agrees(toolName, question.text))
            ? await agent.approveToolCall(answer)
            : await agent.declineToolCall(answer)
        }
        for (const { prompt, tools } of model.doStreamCalls.slice(prompts)) {
          stage.prompted({ prompt: prompt.map(asPrompt), tools })
        }
        prompts = model.doStreamCalls.length
      },
    }

    async function hear(chunks: AsyncIterable<unknown>) {
      const asked = []
      let said = ''
      for await (const chunk of chunks) {
        stage.left('stream chunks', chunk)
        const { type, payload = {} } = chunk as Chunk
        if (type === 'tool-call') stage.calls(payload.toolName ?? '', payload.args)
        if (type === 'tool-result') stage.reads(payload.result?.text ?? '')
        if (type === 'text-delta') said += payload.text ?? ''
        const question = authmd.describe(chunk)
        if (question) asked.push(question)
      }
      if (said !== '') stage.says(said)
      return asked
    }
  },
}

/** A message without what Mastra keeps beside it for itself, which no provider puts before its model. */
function asPrompt(message: object): unknown {
  const keep = (name: string, value: unknown) => (name === 'providerOptions' ? undefined : value)
  return JSON.parse(JSON.stringify(message, keep))
}
