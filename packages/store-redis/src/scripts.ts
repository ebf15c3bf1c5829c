import { createHash } from 'node:crypto'
import { AuthError } from '@authmd/core'

/** What is needed of a client or a cluster client of the package `redis`, which is one. */
export interface RedisClient {
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  evalSha(sha1: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
}

/** Sent by its hash; whole only where the server has not seen it, as after a restart. */
export class Script {
  readonly #text: string
  readonly #sha1: string

  constructor(text: string) {
    this.#text = text
    this.#sha1 = createHash('sha1').update(text).digest('hex')
  }

  /** Throws `AuthError` `store_failed`. */
  async run(client: RedisClient, keys: string[], values: readonly string[]): Promise<unknown> {
    const options = { keys, arguments: [...values] }
    try {
      return await client.evalSha(this.#sha1, options).catch((error: unknown) => {
        if (!String((error as Error).message).startsWith('NOSCRIPT')) throw error
        return client.eval(this.#text, options)
      })
    } catch (cause) {
      throw new AuthError('store_failed', 'the store failed: Redis did not answer', { cause })
    }
  }
}

// A record is a hash: r revision, v value, d due, n the name of its entry among what is due.

/** KEYS record · returns r, v, d. */
export const readRecord: Script = new Script(`
return redis.call('HMGET', KEYS[1], 'r', 'v', 'd')
`)

/**
 * KEYS record, ids, taken · ARGV expected, id, value, due, entry · returns 1 and the entry before, 0 where
 * another writer was first, -1 where the entry may have been tidied away meanwhile.
 */
export const writeRecord: Script = new Script(`
local before = redis.call('HMGET', KEYS[1], 'r', 'n')
local revision = tonumber(before[1] or '0')
if revision ~= tonumber(ARGV[1]) then return {0} end
if ARGV[5] ~= '' then
  local made = tonumber(string.match(ARGV[5], '^%d+'))
  if tonumber(redis.call('TIME')[1]) - made > 600 then return {-1} end
end
redis.call('HSET', KEYS[1], 'r', revision + 1, 'v', ARGV[3], 'd', ARGV[4], 'n', ARGV[5])
redis.call('ZADD', KEYS[2], 0, ARGV[2])
redis.call('DEL', KEYS[3])
return {1, before[2] or ''}
`)

/** KEYS record, ids, taken · ARGV expected or nothing, id · returns as the one above. */
export const deleteRecord: Script = new Script(`
local before = redis.call('HMGET', KEYS[1], 'r', 'n')
if not before[1] then return {1, ''} end
if ARGV[1] ~= '' and before[1] ~= ARGV[1] then return {0} end
redis.call('DEL', KEYS[1], KEYS[3])
redis.call('ZREM', KEYS[2], ARGV[2])
return {1, before[2] or ''}
`)

/** KEYS owners, due · ARGV owner, id, due or nothing, random · returns the entry's name. */
export const enterRecord: Script = new Script(`
redis.call('ZADD', KEYS[1], 0, ARGV[1])
if ARGV[3] == '' then return '' end
local entry = redis.call('TIME')[1] .. '-' .. ARGV[4]
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1] .. '/' .. ARGV[2] .. '/' .. entry)
return entry
`)

/** KEYS due · ARGV member. */
export const dropEntry: Script = new Script(`
return redis.call('ZREM', KEYS[1], ARGV[1])
`)

/** KEYS set · ARGV from, how many · returns names in order. */
export const namesFrom: Script = new Script(`
return redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], '+', 'LIMIT', 0, ARGV[2])
`)

/** KEYS due · ARGV until, offset, how many · returns entries, the longest due first. */
export const dueEntries: Script = new Script(`
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', ARGV[2], ARGV[3])
`)

/**
 * KEYS record, taken · ARGV entry, ms · returns r, v, d; 0 where somebody has it; 1 where the entry is of
 * another writing; 2 where no writer can come to it any more.
 */
export const takeRecord: Script = new Script(`
local found = redis.call('HMGET', KEYS[1], 'r', 'v', 'd', 'n')
if found[4] ~= ARGV[1] then
  local made = tonumber(string.match(ARGV[1], '^%d+'))
  return tonumber(redis.call('TIME')[1]) - made > 1200 and 2 or 1
end
if not redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[2]) then return 0 end
return {found[1], found[2], found[3]}
`)

/**
 * KEYS lease · ARGV ms · returns the token, or nothing. A token is a time at least, so that it is greater than
 * those before a key that has expired.
 */
export const takeLease: Script = new Script(`
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local held = redis.call('HMGET', KEYS[1], 'token', 'ends')
if held[2] and tonumber(held[2]) > now then return false end
local token = math.max(now, tonumber(held[1] or '0') + 1)
local ms = tonumber(ARGV[1])
local text = string.format('%.0f', token)
redis.call('HSET', KEYS[1], 'token', text, 'ends', string.format('%.0f', now + ms * 1000))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', ms + 86400000))
return text
`)

/** KEYS lease · ARGV token. */
export const releaseLease: Script = new Script(`
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
return redis.call('HSET', KEYS[1], 'ends', '0')
`)
