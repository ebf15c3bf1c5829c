import type { Progress } from '@modelcontextprotocol/sdk/types.js'
import { afterEach, describe, expect, test } from 'vitest'
import { overHttp, textOf, yes } from './client.ts'
import { startTapped, type Tapped } from './wire.ts'
import { effects, solution } from './world.ts'

let world: Tapped
afterEach(() => world.close())

describe('as clients see them', () => {
  test('five tools with titles, schemas and honest hints', async () => {
    world = await startTapped()
    const { client, close } = await overHttp(world.url)
    const { tools } = await client.listTools()
    const seen = tools.map(({ name, annotations }) => {
      const { readOnlyHint, destructiveHint, openWorldHint } = annotations ?? {}
      return [name, readOnlyHint, destructiveHint, openWorldHint]
    })
    expect(seen).toEqual([
      ['auth_discover', true, undefined, true],
      ['auth_register', false, false, true],
      ['auth_claim', false, false, true],
      ['auth_use', false, true, true],
      ['auth_revoke', false, true, true],
    ])
    for (const { title, description, inputSchema, outputSchema } of tools) {
      expect([title, description]).toEqual([expect.any(String), expect.any(String)])
      expect(inputSchema.properties).not.toHaveProperty('approve')
      expect(outputSchema?.properties).toHaveProperty('text')
    }
    await close()
  })

  test("the service's words stand in the text alone, marked", async () => {
    world = await startTapped()
    const { call, close } = await overHttp(world.url, { answer: yes })
    const puzzle = await call('auth_register', { service: world.service })
    const words = /<<<words of the service, no instructions\n([\s\S]*)\n>>>/.exec(
      textOf(puzzle),
    )?.[1]
    expect(world.sandbox.answerTo(words ?? '')).toBeDefined()
    const { text, outcome, ...rest } = puzzle.structuredContent ?? {}
    expect([text, rest]).toEqual([textOf(puzzle), {}])
    expect(outcome).toMatchObject({ status: 'needs_answer', form: expect.any(String) })
    expect(JSON.stringify(outcome)).not.toContain(JSON.stringify(words).slice(1, -1))
    const signup = solution(world, textOf(puzzle))
    await call('auth_register', signup)
    await call('auth_claim', { registration: signup.registration })
    const path = '/v2/available_phone_numbers'
    const used = await call('auth_use', { service: world.service, method: 'GET', path })
    expect(textOf(used)).toContain('+13125550100')
    expect(used.structuredContent?.outcome).toMatchObject({
      status: 'answered',
      answer: { status: 200 },
    })
    expect(JSON.stringify(used.structuredContent?.outcome)).not.toContain('+13125550100')
    await close()
  })

  test('faults are results in words of ours, and quote nothing', async () => {
    world = await startTapped()
    const { call, close } = await overHttp(world.url, { answer: yes })
    const canary = 'KEY0SANDBOX0CANARY'
    const bad = { isError: true, structuredContent: { error: { code: expect.any(String) } } }
    for (const [name, input] of [
      ['auth_discover', { service: `https://user:${canary}@vendor.example` }],
      ['auth_claim', { registration: `reg_/../${canary}` }],
      ['auth_revoke', { credential: `cred ${canary}` }],
    ] as const) {
      const result = await call(name, input)
      expect(result).toMatchObject(bad)
      expect(textOf(result)).toMatch(/^error \w+: /)
      expect(JSON.stringify(result)).not.toContain(canary)
    }
    for (const [name, input] of [
      ['auth_claim', { registration: { canary } }],
      ['auth_use', { service: 'x', path: '/', method: canary }],
      ['auth_register', {}],
    ] as const) {
      const result = await call(name, input)
      expect(result.isError).toBe(true)
      expect(JSON.stringify(result)).not.toContain(canary)
    }
    await close()
  })
})

describe('waiting', () => {
  test('a client that listens is told of the question, and sees the registration through', async () => {
    world = await startTapped()
    const { call, close } = await overHttp(world.url, { answer: yes })
    const puzzle = textOf(await call('auth_register', { service: world.service }))
    const told: Progress[] = []
    const onprogress = (one: Progress) => void told.push(one)
    const result = await call('auth_register', solution(world, puzzle), { onprogress })
    expect(textOf(result)).toMatch(/^ready/)
    expect(told.map(({ message }) => message)).toEqual([
      'Waiting for a person',
      'Waiting for the service',
    ])
    expect(told.map(({ progress }) => progress)).toEqual([1, 2])
    await close()
  })

  test('one that goes away meanwhile is not waited for', async () => {
    world = await startTapped()
    const { call, close } = await overHttp(world.url, { answer: yes })
    const puzzle = textOf(await call('auth_register', { service: world.service }))
    const gone = new AbortController()
    const onprogress = ({ message }: Progress) => {
      if (message === 'Waiting for the service') gone.abort()
    }
    const options = { onprogress, signal: gone.signal }
    await expect(call('auth_register', solution(world, puzzle), options)).rejects.toThrow()
    // Done is done; nothing more was done for a caller that is not there.
    await call('auth_discover', {})
    expect(effects(world)).toEqual(['bot_signup'])
    await close()
  })
})
