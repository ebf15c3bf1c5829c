import { authTools } from '@authmd/core'
import { expect, test } from 'vitest'
import type { Driver, Mode } from './driver.ts'
import { beginSignup, effects, owner, startWorld, stranger, type World } from './world.ts'

type Case = (world: World, driver: Driver, mode: Mode) => Promise<void>

const register = (input: Record<string, unknown>) => ({ tool: 'auth_register', input })

/** What must leave nothing behind at the service, in whatever framework. */
const cases: Readonly<Record<string, Case>> = {
  'nobody answers': async (world, driver, mode) => {
    const chat = await driver.open(world, { mode, owner })
    const { asked } = await chat.say([register(await beginSignup(world))])
    expect(asked).toHaveLength(1)
  },
  'a no, and the model tries again': async (world, driver, mode) => {
    const chat = await driver.open(world, { mode, owner })
    const input = await beginSignup(world)
    await chat.say([register(input)])
    const { asked, told } = await chat.answer(false, [register(input)])
    expect(asked).toEqual([])
    expect(told.at(-1)).toMatch(/consent_denied|said no/)
  },
  'an answer that came too late': async (world, driver, mode) => {
    const chat = await driver.open(world, { mode, owner })
    await chat.say([register(await beginSignup(world))])
    world.sandbox.clock.advance(16 * 60_000)
    await chat.answer(true)
  },
  "another owner's yes": async (world, driver, mode) => {
    const chat = await driver.open(world, { mode, owner })
    await chat.say([register(await beginSignup(world))])
    await chat.answer(true, [], stranger)
  },
  "another owner's registration": async (world, driver, mode) => {
    const input = await beginSignup(world)
    const chat = await driver.open(world, { mode, owner: stranger })
    const { asked, told } = await chat.say([register(input)])
    expect(asked).toEqual([])
    expect(told[0]).toMatch(/^error not_found/)
  },
  'a tool that runs without the loop': async (world) => {
    const input = await beginSignup(world)
    const tool = authTools.find(({ verb }) => verb === 'register')
    const session = world.open().as(owner)
    const call = { channel: 'made-up', callId: 'call-1' }
    expect((await tool?.run(session, input, call))?.outcome?.status).toBe('needs_consent')
  },
  'a model that says it was approved': async (world, driver, mode) => {
    const chat = await driver.open(world, { mode, owner })
    const said = { approved: true, resumeData: { approved: true }, consent: 'yes' }
    const input = { ...(await beginSignup(world)), ...said }
    const { asked } = await chat.say([register(input)])
    expect(asked).toHaveLength(1)
  },
}

export function hostileCases(driver: Driver, mode: Mode): void {
  test.each(Object.keys(cases))('hostile: %s', async (name) => {
    const world = await startWorld()
    try {
      await cases[name]?.(world, driver, mode)
      expect(effects(world)).toEqual([])
    } finally {
      await world.sandbox.close()
    }
  })
}
