import { expect, test } from 'vitest'
import type { Driver, Mode } from './driver.ts'
import { effects, importKey, inWorld, owner, secretsIn } from './world.ts'

const order = { tool: 'telnyx_order_number', input: { phone_number: '+13125550100' } }

/** The service's own MCP tools, called with a key that the model never saw. */
export function mountedCases(driver: Driver, mode: Mode): void {
  test.each([true, false])('mounted: one tool runs, one asks; approved: %s', (approved) =>
    inWorld(async (world) => {
      await importKey(world)
      const mount = { service: world.service, options: { allow: ['get_balance'] } }
      const chat = await driver.open(world, { mode, owner, mount })
      const asking = await chat.say([{ tool: 'telnyx_get_balance', input: {} }, order])
      expect(asking.told[0]).toMatch(/^answered/)
      expect(asking.asked).toEqual([expect.stringContaining('order_number')])
      expect(effects(world)).toEqual([])
      const done = await chat.answer(approved)
      expect(effects(world)).toEqual(approved ? ['mcp_order_number'] : [])
      if (approved) expect(done.told.at(-1)).toMatch(/^answered/)
      expect(secretsIn(world, await chat.held())).toEqual([])
    }),
  )
}
