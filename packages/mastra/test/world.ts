import type { Store } from '@authmd/core'
import { signInLink } from '@authmd/sandbox'
import * as shared from '@authmd/scenarios/world'

export {
  beginSignup,
  deleteKeys,
  effects,
  email,
  importKey,
  message,
  obtain,
  owner,
  sent,
  solution,
} from '@authmd/scenarios/world'

export interface World extends shared.World {
  /** Ids of the consents that the application was told of. */
  readonly asked: readonly string[]
}

/** It may read its mail, unless a person is to hand the links over. */
export async function startWorld({
  mail = 'read',
  store,
}: {
  mail?: 'read' | 'handed over'
  store?: Store
} = {}): Promise<World> {
  const asked: string[] = []
  const world = await shared.startWorld({
    ...(store ? { store } : {}),
    ...(mail === 'read' ? {} : { identity: { email: shared.email } }),
    onPersonNeeded: ({ kind, id }) => void (kind === 'consent' && asked.push(id)),
  })
  return { ...world, asked }
}

/** A person hands over the link of the mail. */
export async function handOver({ sandbox, auth }: World, registration = ''): Promise<void> {
  const link = signInLink(await sandbox.mail.waitFor(shared.email)) ?? ''
  await auth.people.answer(registration, { link }, { approver: 'kim' })
}
