import { allowLoopback, createAgentAuth, MasterKey } from '@authmd/core'
import { fileStore } from '@authmd/core/node'
import { Mastra } from '@mastra/core/mastra'
import { adapterOf, as, Chat, type Turn } from './chat.ts'
import { openLibSql } from './libsql.ts'

/** What another process is to do; everything it knows besides lies on the disk. */
export interface Task {
  readonly dir: string
  readonly key: string
  /** Milliseconds by which its clock is ahead of the machine's. */
  readonly ahead: number
  readonly email: string
  readonly session: string
  readonly agent?: { readonly paused: Turn; readonly answer: 'yes' | 'no' }
  readonly workflow?: { readonly runId: string; readonly resumeData: unknown }
}

const task = JSON.parse(process.argv[2] ?? '') as Task
const asked: string[] = []
const auth = createAgentAuth({
  store: fileStore({ dir: `${task.dir}/authmd`, key: MasterKey.parse(task.key) }),
  [allowLoopback]: true,
  clock: () => Date.now() + task.ahead,
  identity: () => ({ email: task.email }),
  onPersonNeeded: ({ kind, id }) => void (kind === 'consent' && asked.push(id)),
})
const authmd = adapterOf(auth)
const storage = await openLibSql(task.dir)
if (task.agent) {
  const chat = new Chat('stream', authmd, [], { storage })
  const turn = await chat.answer(task.agent.paused, task.agent.answer, as(task.session))
  console.log(JSON.stringify(turn))
}
if (task.workflow) {
  new Mastra({ workflows: { obtain: authmd.workflow as never }, storage, logger: false })
  const { runId, resumeData } = task.workflow
  const run = await authmd.workflow.createRun({ runId })
  const { status, steps } = await run.resume({ resumeData, requestContext: as(task.session) })
  console.log(JSON.stringify({ status, steps, asked }))
}
process.exit(0)
