import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: [
    'src/index.ts',
    'src/node/main.ts',
    'src/node/index.ts',
    'src/pages.ts',
    'src/reading.ts',
    'src/testing/index.ts',
  ],
  format: 'esm',
  platform: 'neutral',
  dts: true,
  outExtensions: () => ({ js: '.js', dts: '.d.ts' }),
})
