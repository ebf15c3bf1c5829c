import { inspect } from 'node:util'
import { canary } from '@authmd/canary'
import { authTools } from '@authmd/core'
import { expect, test } from 'vitest'
import type { Driver } from './driver.ts'
import { wholeWay } from './walk.ts'
import { email, inWorld, owner, secretsIn } from './world.ts'

/** A framework's own tracing, which records and exports all that it can. */
export interface Trace {
  /** What the driver's `open` is given. */
  readonly tracing: unknown
  /** All that was exported so far. */
  readonly spans: () => readonly unknown[] | Promise<readonly unknown[]>
  readonly close?: () => void
}

const whole = { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity } as const

/** The whole way with the framework's own tracing on. */
export function tracedCases(driver: Driver, trace: () => Trace): void {
  test.each(['generate', 'stream'] as const)(
    'spans, %s: all five tools are traced with what they say, and no span has a secret',
    async (mode) => {
      const { tracing, spans, close } = trace()
      try {
        await inWorld(async (world) => {
          await wholeWay(world, driver, {}, { mode, owner, tracing })
          const exported = await spans()
          canary.see('span', exported)
          const text = inspect(exported, whole)
          // Without what goes in and comes out the spans would have nothing to give away.
          for (const { name } of authTools) expect(text).toContain(name)
          for (const said of [email, '/v2/debug/echo', 'answered', 'ended']) {
            expect(text).toContain(said)
          }
          expect(secretsIn(world, text)).toEqual([])
        })
      } finally {
        close?.()
      }
    },
  )
}
