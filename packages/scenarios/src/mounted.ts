import { expect, test } from 'vitest'
import type { Driver, Mode } from './driver.ts'
import { effects, importKey, owner, startWorld } from './world.ts'

const order = { tool: 'telnyx_order_number', input: { phone_number: '+13125550100' } }

/** The service's own MCP tools, called with a key that the model never saw. */
export function mountedCases(driver: Driver, mode: Mode): void {
  test.each([true, false])('mounted: one tool runs, one asks; approved: %s', async (approved) => {
    const world = await startWorld()
    try {
      await importKey(world)
      const { service, sandbox } = world
      const mount = { service, options: { allow: ['get_balance'] } }
      const chat = await driver.open(world, { mode, owner, mount })
      const before = effects(world).length
      const asking = await chat.say([{ tool: 'telnyx_get_balance', input: {} }, order])
      expect(asking.told[0]).toMatch(/^answered/)
      expect(asking.asked).toEqual([expect.stringContaining('order_number')])
      expect(effects(world)).toHaveLength(before)
      const done = await chat.answer(approved)
      expect(effects(world).slice(before)).toEqual(approved ? ['mcp_order_number'] : [])
      if (approved) expect(done.told.at(-1)).toMatch(/^answered/)
      const text = JSON.stringify([asking, done])
      for (const { value } of sandbox.ledger) expect(text).not.toContain(value)
    } finally {
      await world.sandbox.close()
    }
  })
}
