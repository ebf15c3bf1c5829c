import { randomBytes } from 'node:crypto'
import { createClient } from 'redis'

export const url: string = process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379'

async function answers(): Promise<boolean> {
  const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: 2000 } })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.close()
    return true
  } catch {
    return false
  }
}

/** In CI the tests fail where there is no server; a contributor's machine skips them. */
export const skip: boolean = process.env.CI !== 'true' && !(await answers())
if (skip) console.warn('Redis does not answer (TEST_REDIS_URL): its tests are skipped')

export function connect(at: string = url, disableOfflineQueue = false) {
  const options = { commandOptions: { timeout: 5000 }, disableOfflineQueue }
  const client = createClient({ url: at, ...options })
  client.on('error', () => undefined)
  return client.connect()
}

/** A prefix of its own for each test file, whose keys are deleted after it. */
export function freshPrefix(): string {
  return `authmd-test-${randomBytes(6).toString('hex')}`
}

export async function drop(prefix: string): Promise<void> {
  const client = await connect()
  for await (const keys of client.scanIterator({ MATCH: `${prefix}:*`, COUNT: 1000 })) {
    if (keys.length > 0) await client.unlink(keys)
  }
  await client.close()
}
