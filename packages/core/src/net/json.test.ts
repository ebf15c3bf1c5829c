import { describe, expect, it } from 'vitest'
import { parseJson } from './json.ts'

const malformed = expect.objectContaining({ code: 'response_malformed' })
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

describe('parseJson', () => {
  it('reads JSON with a byte order mark', () => {
    // @see hapijs/bourne#28, forwardemail/superagent#1249
    expect(parseJson('\uFEFF{"a":1}')).toEqual({ a: 1 })
  })

  it('drops __proto__ and constructor keys at every level and touches no prototype', () => {
    const text =
      '{"a":[{"__proto__":{"polluted":1},"\\u005f_proto__":{"polluted":2},"b":1}],"constructor":{"prototype":{"polluted":3}},"prototype":1}'
    const value = parseJson(text) as { a: object[] }
    expect(Object.keys(value)).toEqual(['a'])
    expect(value.a.map((entry) => Object.getOwnPropertyNames(entry))).toEqual([['b']])
    expect(Object.getPrototypeOf(value.a[0])).toBe(Object.prototype)
    expect('polluted' in {}).toBe(false)
    expect('polluted' in (value.a[0] ?? {})).toBe(false)
  })

  it('refuses depth 10,000 and allows 64', () => {
    expect(() => parseJson(nested(10_000))).toThrow(malformed)
    expect(() => parseJson(nested(65))).toThrow(malformed)
    expect(() => parseJson('{"a":'.repeat(10_000))).toThrow(malformed)
    expect(parseJson(nested(64))).toBeInstanceOf(Array)
  })

  it('does not count brackets in strings', () => {
    const text = `"${'['.repeat(100)}\\`
    expect(parseJson(JSON.stringify([text]))).toEqual([text])
  })

  it('reads duplicate keys (the last counts) and 1e999 (infinite)', () => {
    expect(parseJson('{"a":1,"a":2,"b":1e999}')).toEqual({ a: 2, b: Number.POSITIVE_INFINITY })
  })

  it.each(['NaN', '', '<!doctype html>', '{"a":1', '{"a":1}x', "{'a':1}", '\uFEFF\uFEFF1'])(
    'refuses %j',
    (text) => {
      expect(() => parseJson(text)).toThrow(malformed)
    },
  )

  it('does not quote the text that it refuses', () => {
    let caught: unknown
    try {
      parseJson('canary-secret')
    } catch (error) {
      caught = error
    }
    expect(caught).toMatchObject({ code: 'response_malformed' })
    expect(String((caught as Error).message)).not.toContain('canary')
    expect((caught as Error).cause).toBeUndefined()
  })

  it.each([
    ['null', null],
    ['"a"', 'a'],
    ['0', 0],
    ['false', false],
    ['[]', []],
  ] as const)('reads %s', (text, value) => {
    expect(parseJson(text)).toEqual(value)
  })
})
