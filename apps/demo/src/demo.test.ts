import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodings } from '@authmd/canary'
import { expect, test } from 'vitest'
import { Sinks } from './sinks.ts'

test('unattended, it prints one JSON object last, and the whole story is true', () => {
  const args = ['--conditions=@authmd/source', join(import.meta.dirname, 'main.ts'), '--json']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  const lines = stdout.trimEnd().split('\n')
  const { frameworks } = JSON.parse(lines.at(-1) ?? '')
  expect(Object.keys(frameworks)).toEqual(['ai-sdk', 'langchain', 'mastra'])
  for (const evidence of Object.values<Record<string, unknown>>(frameworks)) {
    expect(evidence).toMatchObject({
      ok: true,
      approvals: 2,
      mounted: { calls: 2, approvals: 1 },
      roundTrips: 2,
      secretSeen: false,
      controlFound: true,
    })
    expect(evidence.secretsIssued).toBeGreaterThanOrEqual(3)
  }
  expect(stderr).toContain('→ auth_discover')
}, 60_000)

const secret = 'KEY01SANDBOX-made-up/+?&"<é0123456789'
const control = 'control-0123456789abcdef'

test.each(encodings(secret).map((form) => [form]))('a secret is found as %s', (form) => {
  const sinks = new Sinks()
  sinks.add('messages', [{ text: `x${form}y ${control}` }])
  // As JSON the form gains backslashes where it holds quotes; as text it stands as it is.
  sinks.add('messages', `x${form}y`)
  expect(sinks.search([secret], control)).toMatchObject({ secretSeen: true, where: ['messages'] })
})

test.each(['message', 'error', 'log', 'file'])(
  'a secret in a %s turns the search red',
  async (sink) => {
    const sinks = new Sinks()
    const dir = mkdtempSync(join(tmpdir(), 'authmd-sinks-'))
    try {
      for (const name of ['message', 'error', 'log']) {
        sinks.add(name, { text: name === sink ? `${secret} ${control}` : control })
      }
      writeFileSync(join(dir, '1.json'), sink === 'file' ? `${secret} ${control}` : control)
      await sinks.addFiles('file', dir)
      // A plain word of the secret survives JSON.
      const found = sinks.search([secret.slice(0, 20)], control)
      expect(found).toMatchObject({ secretSeen: true, where: [sink], controlFound: true })
      expect(sinks.search(['another-secret-0000'], control).secretSeen).toBe(false)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  },
)

test('a sink that records nothing is noticed', () => {
  const sinks = new Sinks()
  sinks.add('messages', control)
  sinks.add('log', 'nothing of the run')
  expect(sinks.search([secret], control).controlFound).toBe(false)
})
