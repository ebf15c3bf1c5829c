import assert from 'node:assert/strict'
import { request } from 'node:http'
import {
  type AgentAuth,
  type AgentAuthOptions,
  allowLoopback,
  createAgentAuth,
  memoryStore,
} from '@authmd/core'
import { startSandbox } from '@authmd/sandbox'

export const owner = { tenant: 'acme', user: 'kim' }
const email = 'agents@operator.test'

/** What a person is shown of the signup, and of the end of its key. */
export const words: RegExp = /agents@operator\.test|Revoke the credential cred_/

export interface Call {
  readonly name: string
  readonly args: Record<string, unknown>
}

/** The sandbox, an `AgentAuth` that reads its mail, and what a scripted model does there. */
export interface World extends AsyncDisposable {
  readonly service: string
  readonly auth: AgentAuth
  /** The model's next call, by what the tools have said so far; undefined when it is through. */
  readonly next: (told: readonly string[], prompt: unknown) => Promise<Call | undefined>
  /** What a person does in the portal: makes a key for the operator to import, deletes all keys. */
  readonly importKey: () => Promise<void>
  readonly deleteKeys: () => Promise<void>
  /** Fails unless the whole way was gone, with two approvals and no secret in a prompt. Says how it went. */
  readonly done: (name: string, approvals: number) => void
}

export async function startWorld(more: Partial<AgentAuthOptions> = {}): Promise<World> {
  const sandbox = await startSandbox({ challenge: { types: ['math'] } })
  const service = sandbox.urls.api
  const mailbox = {
    address: email,
    list: async ({ to, since }: { to: string; since: number }) =>
      sandbox.mail.list(to).filter((mail) => mail.receivedAt >= since),
  }
  const auth = createAgentAuth({
    store: memoryStore(),
    [allowLoopback]: true,
    identity: () => ({ mailbox }),
    ...more,
  })

  const { portal } = sandbox.urls
  const signIn = () => ask<{ token: string }>('POST', `${portal}/api/sign-in`, { email })
  const importKey = async () => {
    const { token } = await signIn()
    const made = await ask<{ api_key: string }>('POST', `${portal}/api/keys`, {}, token)
    const given = { service, audience: `${service}/v2`, secret: made.api_key }
    await auth.as(owner).import(given)
  }
  const deleteKeys = async () => {
    const { token } = await signIn()
    const keys = await ask<{ id: string }[]>('GET', `${portal}/api/keys`, undefined, token)
    for (const { id } of keys) await ask('DELETE', `${portal}/api/keys/${id}`, undefined, token)
  }

  let told: readonly string[] = []
  const prompts: string[] = []
  const statuses = () => told.map((text) => /^\w+/.exec(text)?.[0])
  const find = (pattern: RegExp) => pattern.exec(told.join('\n'))?.[0]

  const next: World['next'] = async (results, prompt) => {
    told = results
    prompts.push(JSON.stringify(prompt))
    const registration = find(/reg_[\w-]+/)
    const revoke = { name: 'auth_revoke', args: { credential: find(/cred_[\w-]+/) } }
    switch (statuses().at(-1)) {
      case undefined:
        return { name: 'auth_discover', args: { service } }
      case 'found':
        return { name: 'auth_register', args: { service } }
      case 'needs_answer': {
        const problem = /<<<[^\n]*\n([\s\S]*)\n>>>/.exec(told.at(-1) ?? '')?.[1] ?? ''
        const answer = sandbox.answerTo(problem)
        return { name: 'auth_register', args: { service, registration, answer } }
      }
      case 'pending':
        await sandbox.mail.waitFor(email)
        return { name: 'auth_claim', args: { registration } }
      case 'ready': {
        const path = '/v2/available_phone_numbers'
        return { name: 'auth_use', args: { service, method: 'GET', path } }
      }
      case 'answered':
        return revoke
      case 'needs_person':
        await deleteKeys()
        return revoke
    }
    return undefined
  }

  const done: World['done'] = (name, approvals) => {
    const way = statuses()
    const passed = way.filter((status) => status !== 'needs_person')
    assert.deepEqual(passed, ['found', 'needs_answer', 'pending', 'ready', 'answered', 'ended'])
    assert.match(told.at(-1) ?? '', /^revoked: /m)
    assert.equal(approvals, 2)
    const secrets = sandbox.ledger.map(({ value }) => value)
    const seen = prompts.join('\n')
    assert.ok(secrets.length > 2 && seen.includes(email))
    assert.ok(!secrets.some((secret) => seen.includes(secret)), 'the model saw a secret')
    console.log(`${name}: ${way.join(' ')}`)
  }

  const close = () => sandbox.close()
  return { service, auth, next, importKey, deleteKeys, done, [Symbol.asyncDispose]: close }
}

/** Asks a virtual host of the sandbox, which no resolver need know. Gives the `data` of the answer. */
function ask<T>(method: string, url: string, json?: object, token?: string): Promise<T> {
  const { port, host, pathname } = new URL(url)
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const headers = { host, 'content-type': 'application/json', ...authorization }
  const sent = request({ host: '127.0.0.1', port, path: pathname, method, headers }, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    response.on('end', () => resolve(text === '' ? undefined : JSON.parse(text).data))
  })
  sent.on('error', reject)
  sent.end(json === undefined ? undefined : JSON.stringify(json))
  return promise
}
