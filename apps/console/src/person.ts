import { type AgentAuth, AuthError, type Owner } from '@authmd/core'
import { sha256 } from '@authmd/core/pages'

/** Who uses the console. */
export interface ConsolePerson {
  /** Who they are, in the record of what they decide: a mail address or a name, at most 200 characters. */
  readonly approver: string
  /** Whose things they see and decide, up to 100. Nothing of anybody else is ever shown to them. */
  readonly owners: readonly Owner[]
}

/** One of the owners of a person, and what stands for it in addresses: no name of anybody. */
export interface Whose {
  readonly owner: Owner
  readonly tag: string
}

const maxOwners = 100

/**
 * Checks a person as the application names them.
 *
 * @throws AuthError `invalid_input`, `owner_invalid`
 */
export function checkPerson(auth: Pick<AgentAuth, 'as'>, person: ConsolePerson): ConsolePerson {
  const { approver, owners } = person
  if (typeof approver !== 'string' || approver.trim() === '' || approver.length > 200) {
    throw new AuthError('invalid_input', 'approver is a text of 1 to 200 characters')
  }
  if (!Array.isArray(owners) || owners.length === 0 || owners.length > maxOwners) {
    throw new AuthError('invalid_input', `owners is a list of 1 to ${maxOwners} owners`)
  }
  return { approver, owners: owners.map((one) => auth.as(one).owner) }
}

export async function whoseOf({ owners }: ConsolePerson): Promise<readonly Whose[]> {
  return Promise.all(
    owners.map(async (owner) => {
      const text = JSON.stringify([owner.tenant, owner.user ?? null, owner.agent ?? null])
      return { owner, tag: (await sha256(text)).slice(0, 22) }
    }),
  )
}

export function samePerson(one: ConsolePerson, other: ConsolePerson): boolean {
  const theirs = ({ owners }: ConsolePerson) => JSON.stringify(owners)
  return one.approver === other.approver && theirs(one) === theirs(other)
}

/** An owner, for a person to read. */
export function nameOf({ tenant, user, agent }: Owner): string {
  return [tenant, ...(user ? [`user ${user}`] : []), ...(agent ? [`agent ${agent}`] : [])].join(
    ', ',
  )
}
