import type { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Client } from '../src/client.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function connected(answer: Promise<unknown>) {
  const told: unknown[] = []
  const extra = {
    _meta: { progressToken: 'token' },
    signal: new AbortController().signal,
    sendNotification: async ({ params }: { params: { message: string } }) => {
      told.push(params.message)
    },
    sendRequest: () => answer,
  }
  return { told, client: new Client({} as Server, extra as never) }
}

test('while it is waited for the service, a client is told again and again, and then no more', () => {
  const { client, told } = connected(Promise.resolve())
  const stop = client.keepTelling('Waiting for the service')
  expect(told).toHaveLength(1)
  vi.advanceTimersByTime(30_000)
  expect(told).toHaveLength(4)
  stop()
  vi.advanceTimersByTime(60_000)
  expect(told).toHaveLength(4)
})

test('the same while a person is asked, until there is an answer', async () => {
  const answer = Promise.withResolvers<unknown>()
  const { client, told } = connected(answer.promise)
  const asked = client.ask({ mode: 'form', message: '', requestedSchema: {} as never }, 60_000)
  vi.advanceTimersByTime(20_000)
  expect(told).toHaveLength(3)
  answer.resolve({ action: 'accept' })
  expect(await asked).toEqual({ action: 'accept' })
  vi.advanceTimersByTime(60_000)
  expect(told).toHaveLength(3)
})
