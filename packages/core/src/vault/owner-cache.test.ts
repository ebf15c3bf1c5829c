import { describe, expect, it } from 'vitest'
import { OwnerCache } from './owner-cache.ts'

/** A cache whose clock stands still, and a source that says how often it was read. */
function cached(maxCredentials = 10) {
  let now = 1_000_000
  const cache = new OwnerCache<string>({ maxAgeMs: 5000, maxCredentials }, () => now)
  const reads: string[] = []
  const get = (key: string, items: readonly string[] = [key]) =>
    cache.get(key, async () => {
      reads.push(key)
      return items
    })
  return {
    ...{ cache, reads, get },
    pass: (ms: number) => {
      now += ms
    },
  }
}

describe('what an owner holds', () => {
  it('is read again when it is too old, and when the clock was set back', async () => {
    const { get, pass, reads } = cached()
    await get('a')
    pass(5000)
    await get('a')
    expect(reads).toHaveLength(1)
    pass(1)
    await get('a')
    expect(reads).toHaveLength(2)
    pass(-10)
    await get('a')
    expect(reads).toHaveLength(3)
  })

  it('is never given to another', async () => {
    const { get } = cached()
    expect(await get('a')).toEqual(['a'])
    expect(await get('b')).toEqual(['b'])
  })

  it('leaves, the longest read first, when there are too many of all owners', async () => {
    const { get, reads } = cached(3)
    for (const key of ['a', 'b', 'c', 'd']) await get(key)
    reads.length = 0
    for (const key of ['d', 'c', 'b', 'a']) await get(key)
    expect(reads).toEqual(['a'])
  })

  it('takes as many places as it has items, and one where there are none', async () => {
    const { get, reads } = cached(3)
    await get('a', [])
    await get('b', ['1', '2', '3'])
    await get('a', [])
    expect(reads).toEqual(['a', 'b', 'a'])
  })

  it('is not kept where one owner alone has too many, and nobody else leaves for it', async () => {
    const { get, reads } = cached(3)
    await get('a')
    expect(await get('b', ['1', '2', '3', '4'])).toHaveLength(4)
    await get('b', ['1', '2', '3', '4'])
    await get('a')
    expect(reads).toEqual(['a', 'b', 'b'])
  })

  it('is read once for all who come at once, and a failure is not kept', async () => {
    const { cache } = cached()
    let reads = 0
    const read = async (): Promise<readonly string[]> => {
      reads++
      await Promise.resolve()
      if (reads === 1) throw new Error('down')
      return ['a']
    }
    const all = await Promise.allSettled([cache.get('a', read), cache.get('a', read)])
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await Promise.all([cache.get('a', read), cache.get('a', read)])).toEqual([['a'], ['a']])
    expect(reads).toBe(2)
  })

  it('that was written while it was read is not kept', async () => {
    const { cache, get, reads } = cached()
    const slow = Promise.withResolvers<readonly string[]>()
    const first = cache.get('a', () => slow.promise)
    cache.drop('a')
    slow.resolve(['before'])
    expect(await first).toEqual(['before'])
    expect(await get('a', ['after'])).toEqual(['after'])
    expect(await get('a', ['after'])).toEqual(['after'])
    expect(reads).toHaveLength(1)
  })

  it("that is in part another owner's is read again when that one writes, also while it is read", async () => {
    const limits = { maxAgeMs: 5000, maxCredentials: 10 }
    const cache = new OwnerCache<string>(
      limits,
      () => 0,
      (item) => /^of-(.+)$/.exec(item)?.[1],
    )
    let reads = 0
    const read = async () => {
      reads++
      return ['own', 'of-b']
    }
    await cache.get('a', read)
    cache.drop('c')
    await cache.get('a', read)
    expect(reads).toBe(1)
    cache.drop('b')
    const slow = Promise.withResolvers<readonly string[]>()
    const reading = cache.get('a', () => slow.promise)
    cache.drop('b')
    slow.resolve(['of-b'])
    await reading
    await cache.get('a', read)
    expect(reads).toBe(2)
  })
})
