import { afterEach, expect, test } from 'vitest'
import type { PolicyRule } from '../src/consent/policy-data.ts'
import { at, ok, reads } from './auth-md-world.ts'
import { closeWorlds, expectStatus, sent } from './world.ts'

afterEach(closeWorlds)

/** An auth.md service that names two scopes, under one rule. */
function under(rule: PolicyRule) {
  return at({ version: 'v0.7' }, undefined, { policy: { rules: [rule] } })
}

test('a registration is made without a person where all its scopes are allowed', async () => {
  const world = await under({ decide: 'allow', when: { scopes: ['api.read', 'api.write'] } })
  expectStatus(await world.session.register({ service: world.site.api }), 'ready')
  expect(await reads(world)).toMatchObject(ok)
})

test('one scope that is not allowed is asked about, in the words that the person reads', async () => {
  const world = await under({ decide: 'allow', when: { scopes: 'api.read' } })
  const input = { service: world.site.api }
  const { action } = expectStatus(await world.session.register(input), 'needs_consent')
  expect(action.summary).toContain('Its scopes: api.read, api.write.')
  expect(await world.session.explain('register', input)).toMatchObject({
    decision: 'ask',
    by: 'default',
    action: { digest: action.digest, effects: [{ scopes: ['api.read', 'api.write'] }] },
  })
  expect(sent(world, 'agent_register')).toBe(0)
})

test('one scope that is denied refuses the registration, and explain names the rule', async () => {
  const because = 'agents only read'
  const world = await under({ decide: 'deny', when: { scopes: 'api.write' }, because })
  const input = { service: world.site.api }
  const refused = { status: 'refused', code: 'policy_denied' }
  expect(await world.session.register(input)).toMatchObject({
    ...refused,
    reason: expect.stringContaining(because),
  })
  const explained = { decision: 'deny', by: 'policy', rule: 0, because }
  expect(await world.session.explain('register', input)).toMatchObject(explained)
  expect(sent(world, 'agent_register')).toBe(0)
})
