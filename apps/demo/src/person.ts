import { stderr, stdin } from 'node:process'
import { createInterface } from 'node:readline/promises'
import { personAtPortal, type Sandbox } from '@authmd/sandbox'

/** The person of the demo: agrees to actions, and deletes the key in the portal when asked to. */
export interface Person {
  /** How decisions are made, for the log. */
  readonly how: 'asked on the terminal' | 'agrees to everything'
  /** The action has been shown before. */
  approves(): Promise<boolean>
  deletesKeys(url: string): Promise<void>
}

export function personAt(sandbox: Sandbox, email: string, unattended: boolean): Person {
  const portal = personAtPortal(sandbox, email)
  if (unattended || !stdin.isTTY) {
    return {
      how: 'agrees to everything',
      approves: async () => true,
      deletesKeys: portal.deleteKeys,
    }
  }
  return {
    how: 'asked on the terminal',
    approves: async () => /^y(es)?$/i.test((await ask('  Agree? [y/N] ')).trim()),
    deletesKeys: async (url) => {
      await ask(`  Delete the key at ${url}\n  (or press Enter and it is done for you) `)
      await portal.deleteKeys()
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
