import { afterEach, describe, expect, test } from 'vitest'
import { adapter, Chat, type Move, modes, type Script } from './chat.ts'
import { deleteKeys, effects, solution, startWorld, type World } from './world.ts'

let world: World
afterEach(() => world.close())

const find = (text: string, pattern: RegExp) =>
  pattern.exec(text)?.[0] ?? `no ${pattern} in ${text}`

/** What a model does that reads the tools' texts and nothing else. */
function wholeFlow({ service }: World): Script {
  let handle = ''
  const revoke = (): Move => ({ tool: 'auth_revoke', input: { credential: handle } })
  const use = { service, method: 'GET', path: '/v2/available_phone_numbers' }
  return [
    { tool: 'auth_discover', input: { service } },
    { tool: 'auth_register', input: { service } },
    (said) => solution(world, said),
    (said) => ({ tool: 'auth_claim', input: { registration: find(said, /reg_[\w-]+/) } }),
    (said) => {
      handle = find(said, /cred_[\w-]+/)
      return { tool: 'auth_use', input: use }
    },
    revoke,
  ]
}

describe.each(modes)('%s', (mode) => {
  test('discover, register, claim, use and revoke with two approvals; no secret is seen', async () => {
    world = await startWorld()
    const chat = new Chat(mode, adapter(world), wholeFlow(world))

    const signup = await chat.say()
    expect(signup).toMatchObject({ finish: 'suspended', paused: { toolName: 'auth_register' } })
    expect(signup.paused?.text).toContain('agents@operator.test')
    expect(signup.paused?.pause).toBeUndefined()
    expect(effects(world)).toEqual([])

    const revoke = await chat.answer(signup, 'yes')
    expect(revoke).toMatchObject({ finish: 'suspended', paused: { toolName: 'auth_revoke' } })
    expect(revoke.paused?.text).toContain('Revoke the credential cred_')
    expect(revoke.told.some((text) => text.startsWith('answered'))).toBe(true)
    expect(effects(world)).toEqual(['bot_signup', 'bot_sessions', 'api_keys'])

    const person = await chat.answer(revoke, 'yes')
    expect(person.paused?.pause).toMatchObject({ for: 'person', need: { kind: 'open-link' } })
    expect(person.paused?.pause?.need?.url).toContain(world.sandbox.urls.portal)
    const early = await chat.answer(person, { resume: { done: true } })
    expect(early.paused?.pause?.for).toBe('person')
    await deleteKeys(world)
    const done = await chat.answer(early, { resume: { done: true } })
    expect(done.finish).toBe('stop')
    expect(done.told.at(-1)).toMatch(/^ended.*\nrevoked: /)

    const secrets = world.sandbox.ledger.map((entry) => entry.value)
    expect(secrets.length).toBeGreaterThan(2)
    expect(secrets.filter((secret) => chat.seen.includes(secret))).toEqual([])
    expect(chat.read).not.toContain('cns_')
  })
})
