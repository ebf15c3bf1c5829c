import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { canary } from '@authmd/canary'
import { type Sandbox, startSandbox } from '@authmd/sandbox'

/** The server of an example, in a process of its own, and a sandbox in this one. */
export interface Served {
  readonly sandbox: Sandbox
  readonly url: string
  /** Remembers what the server answers. */
  readonly fetch: typeof fetch
  /** All that it has answered so far. */
  readonly answered: () => Promise<string>
  /** What was done to the service so far. */
  readonly effects: () => readonly string[]
  readonly close: () => Promise<void>
}

/** Starts an example for its test, as its own command does; it prints the server's URL first. */
export async function startServed(main: string, env: NodeJS.ProcessEnv = {}): Promise<Served> {
  const sandbox = await startSandbox()
  const child = spawn(process.execPath, ['--conditions=@authmd/source', main], {
    env: { ...process.env, ...env, PORT: '0', SERVICE: sandbox.urls.authMd },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit')
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    const see = canary.stream('what a server prints')
    stream.setEncoding('utf8').on('data', (text: string) => {
      see(text)
      printed += text
    })
  }
  while (!/http:\S+\n/.test(printed)) {
    await Promise.race([once(child.stdout, 'data'), exited])
    if (child.exitCode !== null) throw new Error(`the server has ended:\n${printed}`)
  }
  const answers: Promise<string>[] = []
  return {
    sandbox,
    url: /http:\S+/.exec(printed)?.[0] ?? '',
    fetch: async (...args) => {
      const response = await fetch(...args)
      answers.push(response.clone().text())
      return response
    },
    answered: async () => {
      const bodies = await Promise.all(answers)
      canary.see('what a server answers', bodies)
      return bodies.join('\n')
    },
    effects: () => sandbox.log.filter(({ effect }) => effect).map(({ name }) => name),
    close: async () => {
      child.kill('SIGINT')
      await exited
      await sandbox.close()
    },
  }
}
