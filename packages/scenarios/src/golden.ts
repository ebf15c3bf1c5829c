import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const dir = join(import.meta.dirname, '../golden')

/**
 * The text that all adapters must show. `TEST_UPDATE_GOLDEN=1` writes what was seen instead; then a
 * person reads the difference.
 */
export function golden(name: string, seen: string): string {
  const file = join(dir, `${name}.txt`)
  if (process.env.TEST_UPDATE_GOLDEN === '1') {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${seen}\n`)
  }
  return readFileSync(file, 'utf8').trimEnd()
}
