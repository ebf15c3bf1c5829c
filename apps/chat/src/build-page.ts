import { join } from 'node:path'
import { build } from 'vite'

export interface PageFile {
  readonly type: string
  readonly body: string
}

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
}

/** Bundles the page in memory: its files by their paths, `/` and those that it names. */
export async function buildPage(): Promise<ReadonlyMap<string, PageFile>> {
  const built = await build({
    root: join(import.meta.dirname, 'page'),
    configFile: false,
    logLevel: 'error',
    build: { write: false, modulePreload: false },
  })
  const outputs = 'output' in built ? [built] : Array.isArray(built) ? built : []
  const files = outputs
    .flatMap(({ output }) => output)
    .map((one): [string, PageFile] => {
      const { fileName } = one
      const body = one.type === 'chunk' ? one.code : Buffer.from(one.source).toString()
      const type = types[fileName.split('.').at(-1) ?? ''] ?? 'application/octet-stream'
      return [fileName === 'index.html' ? '/' : `/${fileName}`, { type, body }]
    })
  return new Map(files)
}
