import { dirname, join } from 'node:path'
import { build } from 'tsdown'

/** Makes one file of a test's process instead of a hundred, for those that are started again and again. */
export async function bundle(entry: string, file: string): Promise<void> {
  await build({
    entry: join(import.meta.dirname, entry),
    outDir: dirname(file),
    platform: 'node',
    deps: { alwaysBundle: [/./] },
    config: false,
    dts: false,
    logLevel: 'error',
  })
}
