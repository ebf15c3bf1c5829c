import { beforeAll, describe, expect, test } from 'vitest'
import { type Driver, modes } from './driver.ts'
import { golden } from './golden.ts'
import { hostileCases } from './hostile.ts'
import { mountedCases } from './mounted.ts'
import { ownerCases } from './owners.ts'
import { type Walked, walk } from './walk.ts'

/** Every kind of outcome, and what asks for a person's word. */
const kinds = [
  'found',
  'needs_answer',
  'needs_consent',
  'needs_consent_revoke',
  'pending',
  'ready',
  'answered',
  'needs_person',
  'ended',
  'refused',
  'denied',
  'uncertain',
  'error',
] as const

/** Registers the scenarios for one adapter, named so that a table can be made of the report. */
export function runScenarios(driver: Driver): void {
  describe.each(modes)('%s', (mode) => {
    let walked: Walked
    beforeAll(async () => {
      walked = await walk(driver, mode)
    }, 60_000)

    test.each(kinds)('outcome: %s', (kind) => {
      const seen = walked.told[kind] ?? ''
      const name = driver.ownWords[kind] ? `${driver.framework}/${kind}` : kind
      expect(seen).toBe(golden(name, seen))
    })

    test('requests: the same in all frameworks, wave by wave', () => {
      const seen = walked.requests.join('\n')
      expect(seen).toBe(golden('requests', seen))
    })

    test('approvals: one for the signup with its terms, one for the end', () => {
      expect(walked.approvals).toBe(2)
    })

    test('secrets: nothing that the framework holds or lets out has one', () => {
      expect(walked.held).toContain('agents@operator.test')
      expect(walked.secrets).toEqual([])
    })

    hostileCases(driver, mode)
    mountedCases(driver, mode)
    ownerCases(driver, mode)
  })
}
