import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { AuditRecord } from '../audit.ts'
import { auditFile } from './audit-file.ts'
import { readAudit } from './read-audit.ts'

function file(): string {
  const dir = mkdtempSync(join(tmpdir(), 'authmd-audit-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  return join(dir, 'audit.jsonl')
}

async function all(path: string): Promise<AuditRecord[]> {
  const records: AuditRecord[] = []
  for await (const record of readAudit(path)) records.push(record)
  return records
}

const imported = (at: number, name = '') =>
  ({
    type: 'imported',
    at,
    owner: { tenant: `acme${name}` },
    service: 'https://api.vendor.example',
    credential: `cred_${at}`,
  }) as const

test('the newest line comes first, however many blocks the file has', async () => {
  const path = file()
  const listener = auditFile({ path })
  const count = 600
  for (let at = 0; at < count; at++) listener(imported(at, 'é'.repeat(at % 300)))
  const records = await all(path)
  expect(records.map(({ what }) => what.credential)).toEqual(
    [...Array(count).keys()].reverse().map((at) => `cred_${at}`),
  )
  expect(records[0]?.forWhom).toEqual({ tenant: `acme${'é'.repeat((count - 1) % 300)}` })
})

test('what is no line of it is left out', async () => {
  const path = file()
  expect(await all(path)).toEqual([])
  const listener = auditFile({ path })
  expect(await all(path)).toEqual([])
  listener(imported(1))
  appendFileSync(path, `null\n[]\n"x"\n{"time":1}\n\n${'x'.repeat(3_000_000)}\n{"time":"2026`)
  auditFile({ path })(imported(2))
  expect((await all(path)).map(({ what }) => what.credential)).toEqual(['cred_2', 'cred_1'])
})

test('a file that cannot be read is said', async () => {
  await expect(all(tmpdir())).rejects.toMatchObject({ code: 'store_failed' })
})
