import type { AuditRecord } from '@authmd/core'
import { expect, test } from 'vitest'
import { find, wantedOf } from '../src/history.ts'

const kim = { tenant: 'acme', user: 'kim' }

/** So many of one day, the newest first, then one of an older day. */
async function* records(many: number): AsyncGenerator<AuditRecord> {
  const one = { event: 'request', what: {}, forWhom: kim } as unknown as AuditRecord
  for (let at = 0; at < many; at++) yield { ...one, time: '2026-03-02T10:00:00.000Z' }
  yield { ...one, time: '2026-03-01T10:00:00.000Z' }
}

const asked = (query: string) => wantedOf(new URLSearchParams(query))

test('days that are named are found however much came after them', async () => {
  const day = asked('from=2026-03-01&to=2026-03-01')
  expect(await find(records(60_000), [kim], day)).toMatchObject({
    records: [{ time: '2026-03-01T10:00:00.000Z' }],
    stopped: false,
  })
  const other = await find(records(60_000), [{ tenant: 'other' }], asked(''))
  expect(other).toEqual({ records: [], more: false, stopped: true })
})

test('a day that is none is as if it were not named', () => {
  expect(asked('from=2026-13-45&to=soon')).toMatchObject({ from: '', to: '' })
})
