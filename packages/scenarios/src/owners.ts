import { expect, test } from 'vitest'
import type { Driver, Mode } from './driver.ts'
import { beginSignup, effects, importKey, owner, startWorld, stranger } from './world.ts'

/** Whose credentials they are is never mixed up, and never guessed. */
export function ownerCases(driver: Driver, mode: Mode): void {
  test('owners: two at once see and use their own', async () => {
    const world = await startWorld()
    try {
      await importKey(world)
      const { service } = world
      const use = { tool: 'auth_use', input: { service, path: '/v2/balance' } }
      const chats = await Promise.all(
        [owner, stranger].map((one) => driver.open(world, { mode, owner: one })),
      )
      const turns = await Promise.all(chats.map((chat) => chat.say([use])))
      expect(turns[0]?.told[0]).toMatch(/^answered/)
      expect(turns[1]?.told[0]).toMatch(/^refused[\s\S]*no_credential/)
    } finally {
      await world.sandbox.close()
    }
  })

  test('owners: none is named', async () => {
    const world = await startWorld()
    try {
      const input = await beginSignup(world)
      const said = await driver
        .open(world, { mode, owner: null })
        .then((chat) => chat.say([{ tool: 'auth_register', input }]))
        .then(({ told }) => told.join('\n'), String)
      expect(said).toContain('owner')
      expect(effects(world)).toEqual([])
    } finally {
      await world.sandbox.close()
    }
  })
}
