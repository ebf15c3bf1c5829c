import { allowLoopback, createAgentAuth, memoryStore } from '@authmd/core'
import { personAtOAuth, type Sandbox, startSandbox } from '@authmd/sandbox'
import { owner } from '@authmd/scenarios/world'
import { afterEach, expect, test } from 'vitest'
import { agentAuth } from '../src/index.ts'
import { answered, type Move, reloaded, type Script, type Turn, turn, user } from './chat.ts'

let sandbox: Sandbox
afterEach(() => sandbox.close())

const redirectUri = 'https://agents.operator.test/back'
const find = (text: string, pattern: RegExp) =>
  pattern.exec(text)?.[0] ?? `no ${pattern} in ${text}`

/** What a model does that reads the tools' texts and nothing else. */
function flow(service: string, method: string): Script {
  let handle = ''
  const revoke = (): Move => ({ tool: 'auth_revoke', input: { credential: handle } })
  return [
    { tool: 'auth_discover', input: { service } },
    { tool: 'auth_register', input: { service, method } },
    { say: 'Please do what the page asks for.' },
    (said) => ({ tool: 'auth_claim', input: { registration: find(said, /reg_[\w-]+/) } }),
    (said) => {
      handle = find(said, /cred_[\w-]+/)
      return { tool: 'auth_use', input: { service, method: 'GET', path: '/v1/me' } }
    },
    revoke,
  ]
}

test.each(['oauth-device', 'oauth-code'])(
  '%s: two questions, one page, and a call',
  async (method) => {
    sandbox = await startSandbox()
    const clock = () => sandbox.clock.now()
    const options = { [allowLoopback]: true, clock, oauth: { redirectUri } } as const
    const auth = createAgentAuth({ store: memoryStore({ clock }), ...options })
    const authmd = agentAuth(auth, { owner, approver: 'kim@acme.example' })
    const setup = { tools: authmd.tools, toolApproval: authmd.toolApproval() }
    const service = `${sandbox.urls.oauth}/v1/me`
    const script = flow(service, method)
    const turns: Turn[] = []
    const go = async (messages: Turn['messages'], rest: Script) => {
      const done = await turn('agent', setup, reloaded(messages), rest)
      turns.push(done)
      return done
    }

    const first = await go([user], script.slice(0, 2))
    expect(first.told[0]).toContain(`offer ${method}: `)
    expect(first.asked[0]?.reason).toContain('Create a client of its own and an access token,')
    expect(first.asked[0]?.reason).toContain('Its scopes: offline_access, things.read.')

    const second = await go(answered(first.messages, true), script.slice(2, 3))
    const said = second.told.at(-1) ?? ''
    const page = find(said, /(?<=Page: )\S+/)
    const person = personAtOAuth('ada@operator.test')
    if (method === 'oauth-device') await person.connect(page, find(said, /[A-Z]{4}-[A-Z]{4}/))
    else {
      const { url } = await person.authorize(page)
      await auth.people.callback(url, { owner, approver: 'ada' })
    }
    sandbox.clock.advance(5_000)

    const third = await go([...second.messages, { role: 'user', content: 'done' }], script.slice(3))
    expect(third.told.some((text) => text.startsWith('answered'))).toBe(true)
    expect(third.asked[0]?.reason).toContain('Revoke the credential cred_')
    const last = await go(answered(third.messages, true), [{ say: 'It is ended.' }])
    expect(last.told.at(-1)).toMatch(/^ended.*\nrevoked: /)

    expect(turns.flatMap((one) => one.asked)).toHaveLength(2)
    const secrets = sandbox.ledger.filter(({ kind }) => kind !== 'user_code')
    expect(secrets.length).toBeGreaterThan(2)
    for (const { value } of secrets) expect(JSON.stringify(turns)).not.toContain(value)
  },
)
