import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { Secret } from './secret.ts'

const canary = 'canary-3f9a-value'

test('a secret opens to its value, and nothing else opens', () => {
  expect(Secret.open(new Secret(canary))).toBe(canary)
  expect(() => Secret.open(Object.create(Secret.prototype))).toThrow(TypeError)
  expect(() => Secret.open(structuredClone(new Secret(canary)) as Secret)).toThrow(TypeError)
})

test('no way of printing shows the value', () => {
  const secret = new Secret(canary)
  const holder = { secret, list: [secret], map: new Map([['k', secret]]) }
  let printed = ''
  const out = new Writable({
    write(chunk, _encoding, done) {
      printed += chunk
      done()
    },
  })
  const printer = new Console(out, out)
  printer.log(secret, holder)
  printer.log('%s %o %O %j', secret, secret, secret, secret)
  printer.dir(holder, { showHidden: true, depth: 9 })
  printer.table([holder, secret])
  printed += inspect(new Error('outer', { cause: holder }), { showHidden: true, depth: 9 })
  printed += `${JSON.stringify(holder)}${secret}${String(secret)}${[secret].join()}`
  printed += inspect(structuredClone({ secret }), { showHidden: true, depth: 9 })
  printed += JSON.stringify({ ...secret }) + JSON.stringify(Object.entries(secret))
  expect(printed).toContain('[secret]')
  expect(printed).not.toContain(canary)
  expect(printed).not.toContain('3f9a')
})
