import { afterEach, expect, test } from 'vitest'
import type { AuthTool } from '../src/tools/tools.ts'
import { ada, type OAuthWorld, oauthWorld, obtained } from './oauth-world.ts'
import { approve, closeWorlds, expectStatus, sent } from './world.ts'

afterEach(closeWorlds)

const mcpWorld = () => oauthWorld({}, {}, '/mcp')
const call = { channel: 'test' }

async function mounted({ session, service }: OAuthWorld) {
  const { tools } = await session.mount(service, { allow: ['whoami', 'add_thing'] })
  return (name: string): AuthTool =>
    tools.find((one) => one.name.endsWith(name)) ?? expect.fail(name)
}

test.each(['device', 'code'] as const)(
  'an MCP server is found by its challenge, and its tools are called with a token by %s',
  async (grant) => {
    const world = await mcpWorld()
    const { session, service, sandbox } = world
    const credential = await obtained(world, grant)
    expect(credential).toMatchObject({ audience: [service], method: `oauth-${grant}` })
    expect(world.forms('oauth_token').at(-1)).toMatchObject({ resource: service })
    const paths = sandbox.log.map(({ path }) => path)
    expect(paths).toContain('/.well-known/oauth-protected-resource/mcp')

    const tool = await mounted(world)
    const { outcome, text } = await tool('whoami').run(session, {}, call)
    expect(outcome).toMatchObject({ status: 'answered', credential: credential.handle })
    expect(text).toContain(ada)
    // It was given for that server: the API beside it is another resource, to which it never goes.
    expect((await world.me()).status).not.toBe('answered')
    expect(sent(world, 'oauth_me')).toBe(0)
  },
)

test('nothing is mounted before anybody agreed', async () => {
  const { session, service, sandbox } = await mcpWorld()
  await expect(session.mount(service)).rejects.toMatchObject({ code: 'not_found' })
  expect(sandbox.log).toEqual([])
})

test('a tool that needs another scope is refused, and works with what a person then gives', async () => {
  const world = await mcpWorld()
  const { session, site } = world
  const { handle } = await obtained(world, 'device')
  const tool = await mounted(world)
  const write = async () => (await tool('add_thing').run(session, { text: 'a' }, call)).outcome
  expect(await write()).toMatchObject({
    code: 'permission_denied',
    errors: expect.arrayContaining([{ code: 'insufficient_scope', detail: 'scope: things.write' }]),
    next: expect.stringContaining('auth_revoke'),
  })
  expect(site.things).toEqual([])
  const replace = () => session.revoke({ credential: handle, replace: true })
  const asked = expectStatus(await replace(), 'needs_consent')
  expect(asked.action.effects).toMatchObject([
    { scopes: expect.arrayContaining(['things.read', 'things.write']) },
  ])
  await approve(world, asked)
  const shown = await replace()
  await world.connect(shown)
  const { credential } = expectStatus(await world.later(shown), 'ready')
  expectStatus(await write(), 'answered')
  expect(site.things).toEqual([{ by: ada, text: 'a' }])
  expect(credential.handle).not.toBe(handle)
  const { outcome } = await tool('whoami').run(session, {}, call)
  expect(outcome).toMatchObject({ status: 'answered', credential: credential.handle })
})
