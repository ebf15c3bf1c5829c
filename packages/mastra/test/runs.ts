import type { InMemoryStore } from '@mastra/core/storage'

const workflows = ['agentic-loop', 'executionWorkflow']

/** A stored run as text: what somebody can read and change who has the storage. */
export async function stored(storage: InMemoryStore, runId: string): Promise<string> {
  const runs = (await storage.getStore('workflows'))!
  const found = workflows.map((workflowName) => runs.loadWorkflowSnapshot({ workflowName, runId }))
  return JSON.stringify(await Promise.all(found))
}

export async function rewrite(storage: InMemoryStore, runId: string, text: string): Promise<void> {
  const runs = (await storage.getStore('workflows'))!
  const changed = JSON.parse(text)
  for (const [at, workflowName] of workflows.entries()) {
    const snapshot = changed[at]
    if (snapshot) await runs.persistWorkflowSnapshot({ workflowName, runId, snapshot })
  }
}
