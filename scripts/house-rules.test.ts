import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const files = globSync('{packages,apps}/*/{src,test}/**/*.{ts,tsx}', { cwd: root }).map((path) => {
  const text = readFileSync(join(root, path), 'utf8')
  const imports = [...text.matchAll(/(?:^|\s)(?:from|import\(?) ?'([^'\s]+)'/gm)].map(
    ([, name = '']) => name,
  )
  return { path, text, imports }
})
const isTest = (path: string) => path.includes('.test') || path.includes('/test/')
const sources = (prefix: string) =>
  files.filter(({ path }) => path.startsWith(prefix) && !isTest(path))

test('there is something to check', () => {
  expect(sources('packages/core/src').length).toBeGreaterThan(30)
  expect(files.flatMap((file) => file.imports)).toContain('zod')
})

test('no source file is longer than 400 lines', () => {
  const long = sources('').filter(({ text }) => text.trimEnd().split('\n').length > 400)
  expect(long.map(({ path }) => path)).toEqual([])
})

/** Lines that hold code: the comments of a public interface are not to be saved on. */
const codeLines = (text: string) =>
  text.split('\n').filter((line) => !/^\s*(\/\/.*|\/?\*.*)?$/.test(line)).length

test('an adapter is at most 400 lines of code', () => {
  for (const name of ['ai-sdk', 'langchain', 'mastra', 'mcp']) {
    const own = sources(`packages/${name}/src`)
    expect(own.length, name).toBeGreaterThan(3)
    const lines = own.reduce((sum, { text }) => sum + codeLines(text), 0)
    expect(lines, name).toBeLessThanOrEqual(400)
  }
})

test('core imports no framework, and what is Node only under src/node', () => {
  const allowed = [
    'ipaddr.js',
    'mdast',
    'mdast-util-from-markdown',
    'mdast-util-gfm-table',
    'micromark-extension-gfm-table',
    'tldts',
    'zod',
  ]
  const mcpClient = '@modelcontextprotocol/sdk/client/'
  const wrong = sources('packages/core/src').flatMap(({ path, imports }) =>
    imports
      .filter((name) => {
        if (name.startsWith('.')) return !path.includes('/src/node/') && name.includes('/node/')
        if (path.includes('/src/node/'))
          return (
            !name.startsWith('node:') &&
            !['@napi-rs/keyring', 'undici', 'uqr', 'zod'].includes(name)
          )
        if (path.includes('/src/mcp/') && name.startsWith(mcpClient)) return false
        return !allowed.includes(name)
      })
      .map((name) => `${path}: ${name}`),
  )
  expect(wrong).toEqual([])
  // They are optional: loaded only where tools are mounted, or a key comes from the keyring.
  const loading = sources('packages/core/src').filter(({ text }) => text.includes(mcpClient))
  expect(loading.map(({ path }) => path)).toEqual(['packages/core/src/mcp/connection.ts'])
  expect(loading[0]?.text).not.toMatch(/from '@modelcontextprotocol/)
  const keyring = sources('packages/core/src').filter(({ text }) =>
    text.includes("'@napi-rs/keyring'"),
  )
  expect(keyring.map(({ path }) => path)).toEqual(['packages/core/src/node/keyring.ts'])
  expect(keyring[0]?.text).not.toMatch(/from '@napi-rs/)
})

test('dependencies point one way', () => {
  const mayImport: Readonly<Record<string, readonly string[]>> = {
    'packages/core': [],
    'packages/sandbox': [],
    'packages/ai-sdk': ['@authmd/core'],
    'packages/langchain': ['@authmd/core'],
    'packages/mastra': ['@authmd/core'],
    'packages/mcp': ['@authmd/core'],
  }
  for (const [where, names] of Object.entries(mayImport)) {
    const ours = sources(`${where}/src`).flatMap(({ path, imports }) =>
      imports.filter((name) => name.startsWith('@authmd/')).map((name) => ({ path, name })),
    )
    expect(ours.filter(({ name }) => !names.includes(name))).toEqual([])
  }
})

test('a secret is opened only in the files of this list', () => {
  const openers = [
    'packages/core/src/engine/registration.ts',
    'packages/core/src/engine/run.ts',
    'packages/core/src/engine/send.ts',
    'packages/core/src/use/redactor.ts',
    'packages/core/src/use/signer.ts',
    'packages/core/src/vault/credentials.ts',
  ]
  const opening = files.filter(({ path, text }) => !isTest(path) && text.includes('Secret.open('))
  expect(opening.map(({ path }) => path).sort()).toEqual(openers)
})

test('nothing but the transports opens a connection', () => {
  const opening = sources('packages/core/src').filter(({ path, text }) => {
    if (path.includes('/net/') || path.includes('/node/')) return false
    return /(?<![.\w#])fetch\((?!request: |service: )/.test(text.replace(/^\s*\/?\*.*$/gm, ''))
  })
  // The engine is handed the guarded fetch under that name.
  expect(opening.map(({ path }) => path)).toEqual(['packages/core/src/engine/send.ts'])
})
