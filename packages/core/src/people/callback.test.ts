import { describe, expect, test } from 'vitest'
import { Secret } from '../vault/secret.ts'
import { readCallback } from './callback.ts'

const back = 'https://agents.operator.example/back'

test('the code is a secret from here on', () => {
  const came = readCallback(`${back}?code=made-up-code&state=abc&iss=https%3A%2F%2Fauth.example`)
  expect(came).toMatchObject({ path: '/back', state: 'abc' })
  expect(JSON.stringify(came)).not.toContain('made-up-code')
  expect(came.callback.code && Secret.open(came.callback.code)).toBe('made-up-code')
  expect(came.callback.query).toBe('code=code&state=abc&iss=https%3A%2F%2Fauth.example')
})

test.each([
  ['two codes', 'state=abc&code=made-up-one&code=made-up-two'],
  ['an empty code', 'state=abc&code='],
  ['no code', 'state=abc&error=access_denied'],
])('%s are no code', (_, query) => {
  const came = readCallback(`${back}?${query}`)
  expect(came.callback.code).toBeUndefined()
  expect(came.callback.query).not.toContain('made-up')
})

describe('no answer of a server', () => {
  test.each([
    'not a url',
    back,
    `${back}?state=`,
    `${back}?state=one&state=two`,
    `${back}?state=${'a'.repeat(20_000)}`,
    `${back}#state=abc&code=made-up`,
  ])('%.60s', (address) => {
    expect(() => readCallback(address)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
  })
})
