// Another process of the application: reads the messages as a page sent them with the person's answer,
// goes on, and prints what the tools said.
import { readFile } from 'node:fs/promises'
import { allowLoopback, createAgentAuth, type Owner } from '@authmd/core'
import { fileStore, keyFromFile } from '@authmd/core/node'
import { agentAuth } from '../src/index.ts'
import { turn } from './chat.ts'

const { dir, owner, email } = JSON.parse(process.argv[2] ?? '') as {
  dir: string
  owner: Owner
  email: string
}
const store = fileStore({ dir: `${dir}/store`, key: await keyFromFile(`${dir}/key`) })
const auth = createAgentAuth({ store, [allowLoopback]: true, identity: () => ({ email }) })
const authmd = agentAuth(auth, { owner })
const messages = JSON.parse(await readFile(`${dir}/messages.json`, 'utf8'))
const setup = { tools: authmd.tools, toolApproval: authmd.toolApproval() }
const { told } = await turn('stream', setup, messages)
process.stdout.write(JSON.stringify(told))
