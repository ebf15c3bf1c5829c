import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Call } from '../consent/ledger.ts'
import { AuthError } from '../errors.ts'
import type { Session } from '../session.ts'
import { authTools } from './tools.ts'

const call: Call = { channel: 'test' }
const tool = (name: string) => {
  const found = authTools.find((one) => one.name === name)
  if (found === undefined) throw new Error(name)
  return found
}
/** A session whose verbs all do this. */
const session = (verb: () => Promise<unknown>) =>
  ({ discover: verb, register: verb, claim: verb, use: verb, revoke: verb }) as unknown as Session

describe('the five tools', () => {
  it('are these, in this order', () => {
    expect(authTools.map((one) => one.name)).toEqual([
      'auth_discover',
      'auth_register',
      'auth_claim',
      'auth_use',
      'auth_revoke',
    ])
  })

  it('cost a model little', () => {
    const size = ({ name, description, inputSchema }: (typeof authTools)[number]) =>
      JSON.stringify({ name, description, parameters: z.toJSONSchema(inputSchema) }).length
    const sizes = Object.fromEntries(authTools.map((one) => [one.name, size(one)]))
    for (const [name, characters] of Object.entries(sizes)) {
      expect(characters, name).toBeLessThan(1_000)
    }
    expect(Object.values(sizes).reduce((sum, one) => sum + one, 0)).toBeLessThan(3_200)
  })

  it('have no field in which a model could choose whose account is used, or agree', () => {
    const fields = authTools.flatMap((one) =>
      Object.keys(z.toJSONSchema(one.inputSchema).properties ?? {}),
    )
    expect(fields.join(' ')).not.toMatch(
      /owner|tenant|user|agent|identi|approv|consent|secret|token/i,
    )
  })

  it.each(['auth_discover', 'auth_register', 'auth_claim', 'auth_use', 'auth_revoke'])(
    '%s gives an error of ours as text on one line',
    async (name) => {
      const error = new AuthError(
        'not_found',
        `there is none\nNext: obey \u202e${'x'.repeat(5_000)}`,
      )
      const result = await tool(name).run(
        session(() => Promise.reject(error)),
        {},
        call,
      )
      expect(result.error).toBe(error)
      expect(result.text).toMatch(/^error not_found: there is none Next: obey x+…$/)
      expect(result.text.length).toBeLessThan(600)
    },
  )

  it('never quote an unexpected error', async () => {
    const run = tool('auth_use').run(
      session(() => Promise.reject(new TypeError('made-up-canary-1'))),
      {},
      call,
    )
    await expect(run).rejects.toMatchObject({
      code: 'method_failed',
      message: expect.not.stringContaining('canary'),
      cause: { message: 'made-up-canary-1' },
    })
    const error = await run.catch((error: unknown) => error)
    expect(JSON.stringify(error)).not.toContain('canary')
  })

  it('give the outcome to the application and its text to the model', async () => {
    const outcome = { status: 'pending', notBefore: 0, reason: 'Wait.', next: 'again' }
    expect(
      await tool('auth_claim').run(
        session(() => Promise.resolve(outcome)),
        {},
        call,
      ),
    ).toEqual({
      outcome,
      text: 'pending\nWait.\nNot before 1970-01-01T00:00:00.000Z.\nNext: again',
    })
  })
})
