import { join } from 'node:path'
import { defineConfig, type Plugin } from 'vitest/config'

// Without `import`, which Vitest hands to Node: the `require` of a package such as pg would follow it.
const conditions = ['@authmd/source', 'node', 'default']

/**
 * What users run: some packages hand out slower builds, full of assertions, where Vite says `development`,
 * which it does beside the conditions above.
 */
const production: Plugin = {
  name: 'authmd:production',
  configResolved({ ssr }) {
    const { conditions = [] } = ssr.resolve ?? {}
    const at = conditions.indexOf('development|production')
    if (at >= 0) conditions.splice(at, 1)
  },
}

/** What every package's tests share: sources instead of builds, and a JSON report to count from. */
export const shared = defineConfig({
  plugins: [production],
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Searches all that a test file lets out for every secret that a sandbox in it has issued.
    setupFiles: [join(import.meta.dirname, 'packages/canary/src/setup.ts')],
    testTimeout: 60_000,
    // A second, which is what it would be, is not long on a machine that does much else.
    expect: { poll: { timeout: 30_000 } },
    // A worker keeps what it has imported: importing a framework anew for each file costs more than the tests.
    // One worker, because turbo runs two packages at a time and a second would import it all again.
    isolate: false,
    maxWorkers: 1,
    reporters: ['default', 'json'],
    outputFile: { json: '.report/vitest.json' },
    execArgv: ['--conditions=@authmd/source'],
    // Sources are ECMAScript once their types are erased, which Node does in a fraction of a transform's time.
    server: { deps: { external: [/\/packages\/[^/]+\/src\/(?!.*\.test\.ts$)/] } },
    // Processes that tests start load the same sources, each anew but for this.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.compile-cache') },
  },
})
