import { describe, expect, it } from 'vitest'
import { AuthError } from '../errors.ts'
import type { Owner } from '../owner.ts'
import { audienceOf } from '../use/audience.ts'
import { distinct } from './credential-secrets.ts'
import { type Credential, Credentials } from './credentials.ts'
import { memoryStore } from './memory-store.ts'
import { Secret } from './secret.ts'
import type { Store } from './store.ts'

const owner: Owner = { tenant: 'acme' }
const service = 'https://api.svc.example'

function credential(more: Partial<Credential> = {}): Credential {
  return {
    handle: Credentials.handle(),
    owner,
    service,
    start: service,
    kind: 'api_key',
    method: 'import',
    header: 'authorization',
    prefix: 'Bearer ',
    secret: new Secret('made-up-secret-1'),
    audience: audienceOf([service]),
    state: 'active',
    issuedAt: 1_000,
    revision: 0,
    ...more,
  }
}

describe('forService', () => {
  it('puts the best first', async () => {
    const credentials = new Credentials(memoryStore())
    const www = 'https://www.svc.example'
    const all: Partial<Credential>[] = [
      { handle: 'captured', parent: 'new', issuedAt: 9_000 },
      { handle: 'forgotten', state: 'forgotten', issuedAt: 9_000 },
      { handle: 'revoking', state: 'revoking', issuedAt: 9_000 },
      { handle: 'invalid', state: 'invalid', issuedAt: 9_000 },
      { handle: 'untried', replaces: 'old', issuedAt: 8_000 },
      { handle: 'sibling', service: www, audience: audienceOf([www]), issuedAt: 7_000 },
      { handle: 'old', issuedAt: 1_000 },
      { handle: 'new', issuedAt: 2_000 },
      {
        handle: 'elsewhere',
        service: 'https://other.example',
        audience: audienceOf(['https://other.example']),
      },
    ]
    for (const one of all) await credentials.add(credential(one))
    const handles = async () =>
      (await credentials.forService(owner, service)).map((one) => one.handle)
    expect(await handles()).toEqual([
      'new',
      'old',
      'sibling',
      'untried',
      'invalid',
      'revoking',
      'forgotten',
      'captured',
    ])
    await credentials.update(owner, 'untried', (one) => ({ ...one, workedAt: 1 }))
    expect((await handles())[0]).toBe('untried')
    await credentials.update(owner, 'untried', ({ workedAt, ...one }) => one)
    await credentials.update(owner, 'old', (one) => ({ ...one, state: 'revoked' }))
    expect((await handles())[0]).toBe('untried')
  })
})

describe('note', () => {
  it('writes a change of state at once and the time of use once a minute', async () => {
    let puts = 0
    const inner = memoryStore()
    const store: Store = {
      ...inner,
      put: (record, expected) => {
        puts++
        return inner.put(record, expected)
      },
    }
    const credentials = new Credentials(store)
    const { handle } = await credentials.add(credential())
    const note = async (status: number, now: number) => {
      puts = 0
      await credentials.note(await credentials.get(owner, handle), status, now)
      const { state, lastUsedAt, workedAt } = await credentials.get(owner, handle)
      return [puts, state, lastUsedAt, workedAt]
    }
    const minute = 60_000
    expect(await note(500, minute)).toEqual([1, 'active', minute, undefined])
    expect(await note(404, minute + 1)).toEqual([0, 'active', minute, undefined])
    expect(await note(204, minute + 2)).toEqual([1, 'active', minute + 2, minute + 2])
    expect(await note(200, minute + 3)).toEqual([0, 'active', minute + 2, minute + 2])
    expect(await note(401, minute + 4)).toEqual([1, 'invalid', minute + 4, minute + 2])
    expect(await note(401, minute + 5)).toEqual([0, 'invalid', minute + 4, minute + 2])
    expect(await note(200, minute + 6)).toEqual([1, 'active', minute + 6, minute + 6])
    expect(await note(200, 3 * minute)).toEqual([1, 'active', 3 * minute, 3 * minute])
  })

  it('writes many answers at once down once, in each process and in all together', async () => {
    let [gets, puts] = [0, 0]
    const inner = memoryStore()
    const store: Store = {
      ...inner,
      get: (ref) => {
        gets++
        return inner.get(ref)
      },
      put: (record, expected) => {
        puts++
        return inner.put(record, expected)
      },
    }
    const [here, there] = [new Credentials(store), new Credentials(store)]
    const held = await here.add(credential())
    gets = puts = 0
    const calls = Array.from({ length: 100 }, (_, at) => (at % 2 === 0 ? here : there))
    await Promise.all(calls.map((one) => one.note(held, 200, 1)))
    // Each may have read it before the other had written, and then once more.
    expect([gets <= 4, puts <= 2]).toEqual([true, true])
    expect(await here.get(owner, held.handle)).toMatchObject({ workedAt: 1 })
    // What is known already is read and not written.
    puts = 0
    await there.note(held, 200, 1)
    expect(puts).toBe(0)
  })

  it('does not bring back what is being revoked', async () => {
    const credentials = new Credentials(memoryStore())
    const before = await credentials.add(credential({ state: 'invalid' }))
    await credentials.update(owner, before.handle, (one) => ({ ...one, state: 'revoking' }))
    await credentials.note(before, 200, 1)
    expect(await credentials.get(owner, before.handle)).toMatchObject({ state: 'revoking' })
  })

  it('says nothing about a secret that has been renewed since', async () => {
    const credentials = new Credentials(memoryStore())
    const before = await credentials.add(credential())
    await credentials.update(owner, before.handle, (one) => ({ ...one, generation: 1 }))
    await credentials.note(before, 401, 1)
    expect(await credentials.get(owner, before.handle)).toMatchObject({ state: 'active' })
    await credentials.note(before, 200, 1)
    expect(await credentials.get(owner, before.handle)).not.toHaveProperty('accepted')
  })

  it('loses no answer over a store that fails', async () => {
    const inner = memoryStore()
    const failing: Store = {
      ...inner,
      put: async (record, expected) => {
        if (expected > 0) throw new AuthError('store_failed', 'disk full')
        return inner.put(record, expected)
      },
    }
    const credentials = new Credentials(failing)
    const held = await credentials.add(credential())
    await expect(credentials.note(held, 401, 1)).resolves.toBeUndefined()
  })
})

describe('the redactor of an owner', () => {
  it('is built again when a secret came or went, and then only', async () => {
    const store = memoryStore()
    const credentials = new Credentials(store)
    const elsewhere = new Credentials(store)
    const text = 'made-up-secret-1 made-up-secret-2 made-up-ceremony'
    const left = (redactor: { redact(text: string): { text: string } }) =>
      redactor.redact(text).text
    const held = '[secret held by the vault]'

    await credentials.add(credential())
    const first = await credentials.redactor(owner, await credentials.list(owner), [])
    expect(left(first)).toBe(`${held} made-up-secret-2 made-up-ceremony`)
    expect(await credentials.redactor(owner, await credentials.list(owner), [])).toBe(first)

    // Another process keeps one: it counts at once.
    const second = await elsewhere.add(credential({ secret: new Secret('made-up-secret-2') }))
    expect(left(await credentials.redactor(owner, await credentials.list(owner), []))).toBe(
      `${held} ${held} made-up-ceremony`,
    )
    const all = await credentials.redactor(owner, await credentials.list(owner), [
      new Secret('made-up-ceremony'),
    ])
    expect(left(all)).toBe(`${held} ${held} ${held}`)

    await elsewhere.update(owner, second.handle, ({ secret, ...one }) => ({
      ...one,
      state: 'revoked',
    }))
    expect(left(await credentials.redactor(owner, await credentials.list(owner), []))).toBe(
      left(first),
    )
    expect(left(await credentials.redactor({ tenant: 'other' }, [], []))).toBe(text)
  })
})

it('leaves out what holds the same secret again', () => {
  const items = ['made-up-a', 'made-up-b', 'made-up-a'].map((value, at) => ({
    at,
    secret: new Secret(value),
  }))
  expect(distinct(items).map(({ at }) => at)).toEqual([0, 1])
})
