import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readResourceMetadata, readServerMetadata } from './metadata.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const corpus = fileURLToPath(new URL('../shared/corpus/', `file://${root}`))

test.skipIf(!existsSync(`${corpus}score.mjs`))(
  'published documents, read by hand (skipped where ../shared/corpus is missing)',
  () => {
    const run = (script: string, args: readonly string[], input = '') => {
      const { stdout, stderr, status } = spawnSync(process.execPath, [script, ...args], {
        input,
        encoding: 'utf8',
        cwd: root,
      })
      expect([status, stderr]).toEqual([0, ''])
      return stdout
    }
    const facts = run('scripts/facts.ts', [corpus])
    const score = JSON.parse(
      run(`${corpus}score.mjs`, [corpus], facts).trim().split('\n').at(-1) ?? '',
    )
    expect(score.fields).toBeGreaterThan(300)
    expect(score.right / score.fields).toBeGreaterThanOrEqual(0.95)
    expect(score.invented / score.fields).toBeLessThanOrEqual(0.03)
    expect(score.methodsRecall).toBeGreaterThanOrEqual(0.9)
    expect(score.methodsPrecision).toBeGreaterThanOrEqual(0.9)
    expect(score.negativesAccepted).toBe(0)
  },
)

interface Expected {
  readonly kind: string
  readonly issuer: string | null
  readonly resource: string | null
  readonly authorization_servers: readonly string[] | null
  readonly has_agent_auth: boolean
}

const expectedFile = `${corpus}metadata-expected.json`
const metadata: Readonly<Record<string, Expected>> = existsSync(expectedFile)
  ? JSON.parse(readFileSync(expectedFile, 'utf8'))
  : {}

test.skipIf(!existsSync(expectedFile)).each(Object.entries(metadata))(
  'published metadata: %s',
  (name, expected) => {
    const body = readFileSync(`${corpus}metadata/${name}`, 'utf8')
    const { kind, issuer, resource } = expected
    if (kind === 'protected-resource') {
      const url = `${new URL(resource ?? '').origin}/.well-known/oauth-protected-resource`
      const reading = readResourceMetadata(body, { url, asked: resource ?? '' })
      expect(reading).toMatchObject({
        ok: { resource, authorizationServers: expected.authorization_servers ?? [] },
      })
      return
    }
    const url = `${issuer ?? 'https://svc.example'}/.well-known/oauth-authorization-server`
    const reading = readServerMetadata(body, { url, issuer: issuer ?? '', check: () => undefined })
    if (!('ok' in reading)) throw new Error(reading.refused)
    expect(reading.ok.issuer ?? null).toBe(issuer)
    const endpoints = Object.entries(expected).filter(([key]) => key.endsWith('_endpoint'))
    expect(endpoints.length).toBeGreaterThan(2)
    for (const [key, value] of endpoints)
      expect([key, reading.ok.raw[key] ?? null]).toEqual([key, value])
    expect(typeof reading.ok.raw.agent_auth === 'object').toBe(expected.has_agent_auth)
  },
)
