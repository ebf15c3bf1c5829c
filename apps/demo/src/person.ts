import { stderr, stdin } from 'node:process'
import { createInterface } from 'node:readline/promises'
import type { Sandbox } from '@authmd/sandbox'
import { askLoopback } from './ask-loopback.ts'

/** The person of the demo: agrees to actions, and deletes the key in the portal when asked to. */
export interface Person {
  /** How decisions are made, for the log. */
  readonly how: 'asked on the terminal' | 'agrees to everything'
  /** The action has been shown before. */
  approves(): Promise<boolean>
  deletesKeys(url: string): Promise<void>
}

export function personAt(sandbox: Sandbox, email: string, unattended: boolean): Person {
  const portal = () => deleteAllKeys(sandbox, email)
  if (unattended || !stdin.isTTY) {
    return { how: 'agrees to everything', approves: async () => true, deletesKeys: portal }
  }
  return {
    how: 'asked on the terminal',
    approves: async () => /^y(es)?$/i.test((await ask('  Agree? [y/N] ')).trim()),
    deletesKeys: async (url) => {
      await ask(`  Delete the key at ${url}\n  (or press Enter and it is done for you) `)
      await portal()
    },
  }
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: stdin, output: stderr })
  try {
    return await terminal.question(question)
  } finally {
    terminal.close()
  }
}

/** What a person does in the portal, by the requests that its own page makes. */
async function deleteAllKeys(sandbox: Sandbox, email: string): Promise<void> {
  const { portal } = sandbox.urls
  const signIn = await askLoopback('POST', `${portal}/api/sign-in`, { json: { email } })
  const { token } = (signIn as { data: { token: string } }).data
  const listed = await askLoopback('GET', `${portal}/api/keys`, { token })
  for (const { id } of (listed as { data: readonly { id: string }[] }).data) {
    await askLoopback('DELETE', `${portal}/api/keys/${id}`, { token })
  }
}
