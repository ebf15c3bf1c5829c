import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Streams } from '../src/live.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const [kim, lee] = [{ tenant: 'kim' }, { tenant: 'lee' }]

/** A stream over a version that a test sets, and what was read of it. */
async function open() {
  const streams = new Streams()
  const left = new AbortController()
  const state = { version: 'a' as string | undefined, looks: 0 }
  const look = async () => {
    state.looks++
    return state.version
  }
  const response = streams.answer(left.signal, 'kim', look, ({ tenant }) => tenant === 'kim')
  const read: string[] = []
  const done = (async () => {
    for await (const piece of response.body ?? []) read.push(new TextDecoder().decode(piece))
  })()
  await vi.advanceTimersByTimeAsync(1_000)
  return { streams, left, state, read, done }
}

test('what happens to the owner of a page is looked at at once, and nothing of others', async () => {
  const { streams, left, state, read, done } = await open()
  state.version = 'b'
  streams.poke(lee)
  await vi.advanceTimersByTimeAsync(500)
  expect(read).toEqual(['data: a\n\n'])
  streams.poke(kim)
  await vi.advanceTimersByTimeAsync(0)
  expect(read).toEqual(['data: a\n\n', 'data: b\n\n'])
  // Right after a look, and not lost.
  state.version = 'c'
  streams.poke(kim)
  await vi.advanceTimersByTimeAsync(500)
  expect(read.at(-1)).toBe('data: c\n\n')
  left.abort()
  await done
})

test('what nobody told of is seen after some seconds, and not looked for all the time', async () => {
  const { left, state, read, done, streams } = await open()
  state.version = 'b'
  await vi.advanceTimersByTimeAsync(4_000)
  expect(read.at(-1)).toBe('data: b\n\n')
  const before = state.looks
  for (let at = 0; at < 1_000; at++) {
    streams.poke(kim)
    await vi.advanceTimersByTimeAsync(1)
  }
  expect(state.looks - before).toBeLessThan(10)
  left.abort()
  await done
})

test('a stream ends with the session', async () => {
  const { state, read, done } = await open()
  state.version = undefined
  await vi.advanceTimersByTimeAsync(4_000)
  await done
  expect(read.at(-1)).toBe('event: ended\ndata: session\n\n')
})

test('the pages of one person leave room for those of others', async () => {
  const streams = new Streams()
  const left = new AbortController()
  const pages: Response[] = []
  const open = (of: string) => {
    const page = streams.answer(
      left.signal,
      of,
      async () => 'a',
      () => true,
    )
    pages.push(page)
    return page
  }
  let opened = 0
  while (open('kim').status === 200 && opened < 300) {
    opened++
    await vi.advanceTimersByTimeAsync(0)
  }
  expect(opened).toBeGreaterThan(5)
  expect(opened).toBeLessThan(50)
  expect(open('lee').status).toBe(200)
  left.abort()
  for (const { body } of pages) await body?.cancel()
  await vi.advanceTimersByTimeAsync(0)
  expect(open('kim').status).toBe(200)
})
