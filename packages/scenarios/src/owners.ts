import { expect, test } from 'vitest'
import type { Driver, Mode } from './driver.ts'
import { beginSignup, effects, importKey, inWorld, owner, stranger } from './world.ts'

/** What an application may name that is no owner. */
const none: Readonly<Record<string, unknown>> = {
  'nobody is named': null,
  'an empty object': {},
  'no tenant': { user: 'kim' },
  'an empty tenant': { tenant: '' },
  'a blank tenant': { tenant: ' ' },
  'an empty user': { tenant: 'acme', user: '' },
  'a number': { tenant: 7, user: 'kim' },
  'a list': { tenant: ['acme'], user: 'kim' },
  'a user that is null': { tenant: 'acme', user: null },
  'a text': 'acme',
}

/** Whose credentials they are is never mixed up, and never guessed. */
export function ownerCases(driver: Driver, mode: Mode): void {
  test('owners: two at once see and use their own', () =>
    inWorld(async (world) => {
      await importKey(world)
      const { service } = world
      const use = { tool: 'auth_use', input: { service, path: '/v2/balance' } }
      const chats = await Promise.all(
        [owner, stranger].map((one) => driver.open(world, { mode, owner: one })),
      )
      const turns = await Promise.all(chats.map((chat) => chat.say([use])))
      expect(turns[0]?.told[0]).toMatch(/^answered/)
      expect(turns[1]?.told[0]).toMatch(/^refused[\s\S]*no_credential/)
    }))

  /** @see mastra-ai/mastra#19873 */
  test('owners: none, in all the ways to name none', () =>
    inWorld(async (world) => {
      const signup = await beginSignup(world)
      const before = world.sandbox.log.length
      for (const [how, one] of Object.entries(none)) {
        const said = await driver
          .open(world, { mode, owner: one })
          .then((chat) => chat.say([signup]))
          .then(({ told }) => told.join('\n'), String)
        expect(said, how).toContain('owner')
        expect(said, how).not.toContain('not_found')
      }
      expect(effects(world)).toEqual([])
      expect(world.sandbox.log).toHaveLength(before)
    }))
}
