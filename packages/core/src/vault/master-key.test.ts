import { inspect } from 'node:util'
import { expect, test, vi } from 'vitest'
import { MasterKey } from './master-key.ts'

const context = { kind: 'credential', owner: 'owner-a', id: 'cred_1', revision: '1' }
const dataKey = new Uint8Array(32).fill(9)
const key = new MasterKey(new Uint8Array(32).fill(1))

test('a data key is unwrapped for the context that it was wrapped for, and for no other', async () => {
  const wrapped = Uint8Array.from(await key.wrap(dataKey, context))
  expect(await key.unwrap(wrapped, context)).toEqual(dataKey)
  for (const part of ['kind', 'owner', 'id', 'revision']) {
    expect(await key.unwrap(wrapped, { ...context, [part]: 'other' }), part).toBeUndefined()
  }
  const other = new MasterKey(new Uint8Array(32).fill(2))
  expect(await other.unwrap(wrapped, context)).toBeUndefined()
  expect(await key.unwrap(wrapped.slice(0, 20), context)).toBeUndefined()
  expect(await key.unwrap(new Uint8Array(), context)).toBeUndefined()
})

test('a master key is read from hex and base64, and from nothing else', async () => {
  const hex = '01'.repeat(32)
  const base64 = Buffer.alloc(32, 1).toString('base64')
  const wrapped = Uint8Array.from(await key.wrap(dataKey, context))
  for (const form of [hex, base64, Buffer.alloc(32, 1).toString('base64url'), ` ${hex}\n`]) {
    expect(await MasterKey.parse(form).unwrap(wrapped, context)).toEqual(dataKey)
  }
  for (const form of ['', 'canary-password', hex.slice(1), `${hex}00`, `${base64}=`]) {
    const error = (() => {
      try {
        return MasterKey.parse(form)
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toMatchObject({ code: 'key_invalid' })
    expect(form === '' || !String(error).includes(form)).toBe(true)
  }
  expect(() => new MasterKey(new Uint8Array(31))).toThrow('32 bytes')
})

test('a master key shows nothing', () => {
  const raw = Uint8Array.from({ length: 32 }, (_, i) => i * 7 + 3)
  const secretKey = new MasterKey(raw)
  const printed: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((text) => void printed.push(text))
  console.log(inspect({ deep: [secretKey] }, { showHidden: true, depth: 9 }))
  log.mockRestore()
  printed.push(JSON.stringify({ secretKey }), `${secretKey}`, String(secretKey))
  expect(printed).toEqual([
    expect.stringContaining('[master key]'),
    '{"secretKey":"[master key]"}',
    '[master key]',
    '[master key]',
  ])
  expect(structuredClone(secretKey)).toEqual({})
  expect(Object.getOwnPropertyNames(secretKey)).toEqual([])
})
