import { describe, expect, test } from 'vitest'
import {
  type AuthMdErrorCode,
  type AuthMdOptions,
  type Sandbox,
  startSandbox,
  type TokenDefect,
} from '../src/index.ts'
import { type Agent, agentAt, idJagType } from './agent.ts'
import type { Got } from './client.ts'

/** What a case has to work with. */
export interface World {
  agent: Agent
  sandbox: Sandbox
  idJag(defect?: TokenDefect, claims?: Record<string, unknown>): Promise<string>
  /** Registers with an ID-JAG. */
  vouched(assertion: string): Promise<Got>
  anonymous(): Promise<Got>
}

export type Case = readonly [
  code: AuthMdErrorCode,
  status: number,
  provoke: (world: World) => Promise<Got>,
]

function world(sandbox: Sandbox, paths: object, more: Record<string, unknown>): World {
  const agent = agentAt(sandbox, paths)
  return {
    agent,
    sandbox,
    idJag: (defect?: TokenDefect, claims: Record<string, unknown> = {}) =>
      sandbox.identityProvider.idJag({
        audience: agent.issuer,
        claims,
        ...(defect === undefined ? {} : { defect }),
      }),
    vouched: (assertion: string) =>
      agent.register({
        type: 'identity_assertion',
        assertion_type: idJagType,
        assertion,
        ...more,
      }),
    anonymous: () => agent.register({ type: 'anonymous', ...more }),
  }
}

/**
 * Runs each case at a sandbox of its own and compares error and status. `paths` are the agent's,
 * `more` is added to each registration.
 */
export function provoke(
  title: string,
  authMd: AuthMdOptions,
  cases: readonly Case[],
  paths: object = {},
  more: Record<string, unknown> = {},
): void {
  describe(title, () => {
    test.each(cases)('%s %i', async (code, status, act) => {
      await using sandbox = await startSandbox({ authMd })
      const got = await act(world(sandbox, paths, more))
      const { error, err } = got.json as Record<string, unknown>
      expect([error ?? err, got.status]).toEqual([code, status])
    })
  })
}
