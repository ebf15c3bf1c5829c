// Another process of the application: finds the question that a thread stands at, answers it, and
// prints what the tools said.
import { allowLoopback, createAgentAuth } from '@authmd/core'
import { fileStore, keyFromFile } from '@authmd/core/node'
import { INTERRUPT } from '@langchain/langgraph'
import { agentAuth } from '../src/index.ts'
import { agentOf, scriptedModel, turn } from './chat.ts'
import { keep } from './checkpointers.ts'

const { dir, owner, email, approved } = JSON.parse(process.argv[2] ?? '') as {
  dir: string
  owner: { tenant: string; user: string }
  email: string
  approved: boolean
}
const store = fileStore({ dir: `${dir}/store`, key: await keyFromFile(`${dir}/key`) })
const auth = createAgentAuth({ store, [allowLoopback]: true, identity: () => ({ email }) })
const authmd = agentAuth(auth, { owner })
const kept = await keep('sqlite', dir)
const setup = { authmd, checkpointer: kept.open() }
const state = await agentOf(setup, scriptedModel([])).getState({ configurable: { thread_id: 't' } })
const open = { [INTERRUPT]: state.tasks.flatMap(({ interrupts }) => interrupts) }
const asked: string[] = []
const answer = await authmd.resume(open, (question) => {
  asked.push(question.kind === 'consent' ? question.summary : question.kind)
  return approved
})
const { told } = await turn('invoke', setup, 't', answer)
await kept.close()
process.stdout.write(JSON.stringify({ asked, told }))
