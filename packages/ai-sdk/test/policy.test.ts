import type { Policy } from '@authmd/core'
import {
  beginSignup,
  effects,
  importKey,
  owner,
  startWorld,
  type World,
} from '@authmd/scenarios/world'
import { afterEach, describe, expect, test } from 'vitest'
import { agentAuth } from '../src/index.ts'
import { modes, turn, user } from './chat.ts'

let world: World
afterEach(() => world.close())

async function open(policy: Policy) {
  world = await startWorld({ policy })
  const authmd = agentAuth(world.auth, { owner })
  return { tools: authmd.tools, toolApproval: authmd.toolApproval() }
}

describe.each(modes)('under a policy: %s', (mode) => {
  test('out of band nothing is asked in the chat, and the model reads that a person is asked elsewhere', async () => {
    const setup = await open({ approval: 'out-of-band' })
    const { asked, told } = await turn(mode, setup, [user], [await beginSignup(world)])
    expect(asked).toEqual([])
    expect(told).toEqual([expect.stringContaining('asked outside this chat')])
    expect(effects(world)).toEqual([])
  })

  test('what is allowed runs without a question, what is denied does not run', async () => {
    const paths = { allow: '/v2/messages', deny: '/v2/number_orders' } as const
    const setup = await open({
      rules: (['allow', 'deny'] as const).map((decide) => ({
        decide,
        when: { verb: 'use', method: 'POST', path: paths[decide] },
      })),
    })
    await importKey(world)
    const before = effects(world).length
    const json = { from: '+13125550100', to: '+13125550101', text: 'one' }
    const calls = Object.values(paths).map((path) => {
      return { tool: 'auth_use', input: { service: world.service, method: 'POST', path, json } }
    })
    const { asked, told } = await turn(mode, setup, [user], calls)
    expect(asked).toEqual([])
    expect(told).toEqual([
      expect.stringMatching(/^answered/),
      expect.stringContaining('policy_denied'),
    ])
    expect(effects(world).slice(before)).toEqual(['messages'])
  })
})
