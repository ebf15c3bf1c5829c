import type { AuthUIMessage } from '@authmd/ai-sdk'
import { type AgentAuth, allowLoopback, createAgentAuth, memoryStore } from '@authmd/core'
import { type Sandbox, startSandbox } from '@authmd/sandbox'
import type { LanguageModel } from 'ai'
import { phoneNumberScript } from './script.ts'
import { scriptedModel } from './scripted-model.ts'
import { url } from './url.ts'
import { emailOf } from './visitor.ts'

/** What the routes share, for as long as the process lives. */
export interface Agent {
  readonly auth: AgentAuth
  /** The pages on which a person hands something over. */
  readonly intake: ReturnType<AgentAuth['people']['intake']>
  readonly model: LanguageModel
  /** The service that the agent signs up at. */
  readonly sandbox: Sandbox
  /** What was said, by user. */
  readonly conversations: Map<string, AuthUIMessage[]>
}

// Next loads the modules of each route apart, and anew after an edit.
const kept = globalThis as { authmdChat?: Promise<Agent> | undefined }

export function agent(): Promise<Agent> {
  kept.authmdChat ??= start()
  return kept.authmdChat
}

/** An agent of its own with a service of its own, on this machine alone. */
async function start(): Promise<Agent> {
  const sandbox = await startSandbox()
  const auth = createAgentAuth({
    store: memoryStore(),
    [allowLoopback]: true,
    identity: ({ user = '' }) => ({ email: emailOf(user) }),
  })
  return {
    auth,
    intake: auth.people.intake({ baseUrl: `${url}/intake`, name: 'authmd chat' }),
    model: scriptedModel(
      phoneNumberScript(sandbox.urls.api, (problem) => sandbox.answerTo(problem) ?? ''),
    ),
    sandbox,
    conversations: new Map(),
  }
}
