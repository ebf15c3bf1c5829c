import { z } from 'zod'
import { rememberService } from './discovery/known-services.ts'
import { AuthError } from './errors.ts'
import { parse } from './inputs.ts'
import type { CredentialView, ShareVerb } from './outcome.ts'
import { type Owner, ownerKey, parseOwner, sameOwner } from './owner.ts'
import { compareAndSet } from './vault/compare-and-set.ts'
import { decodeCredential, encodeGrant } from './vault/credential-record.ts'
import { viewCredential } from './vault/credential-view.ts'
import type { Credentials } from './vault/credentials.ts'
import type { RecordRef, Store } from './vault/store.ts'

/** Names a credential of an owner. */
export interface CredentialRef {
  readonly owner: Owner
  readonly handle: string
}

/** What another owner may do with a credential. */
export interface ShareOptions {
  /** `use` sends requests with it; `revoke` ends it, for its owner as well. */
  readonly verbs: readonly ShareVerb[]
  /** The other owner is of another tenant, and that is meant. */
  readonly acrossTenants?: boolean | undefined
}

const credentialRef: z.ZodType<{ owner: unknown; handle: string }> = z.strictObject({
  owner: z.unknown(),
  handle: z.string().min(1).max(128),
})

const shareOptions: z.ZodType<ShareOptions> = z.strictObject({
  verbs: z.array(z.enum(['use', 'revoke'])).min(1),
  acrossTenants: z.boolean().optional(),
})

/** Writes down, with the other owner, what that one may do with a credential. Nothing of it is copied. */
export async function share(
  { store, credentials }: { readonly store: Store; readonly credentials: Credentials },
  credential: CredentialRef,
  owner: Owner,
  options: ShareOptions,
  at: number,
): Promise<CredentialView> {
  const { handle, by, to } = parties(credential, owner)
  const { verbs, acrossTenants } = parse(shareOptions, options)
  if (by.tenant !== to.tenant && acrossTenants !== true) {
    throw new AuthError(
      'invalid_input',
      'the owner is of another tenant: say acrossTenants if that is meant',
    )
  }
  const held = await credentials.get(by, handle)
  if (held.shared) {
    throw new AuthError(
      'invalid_input',
      `${handle} is not this owner's own: only its owner's is shared`,
    )
  }
  if (held.state !== 'active' && held.state !== 'invalid') {
    throw new AuthError('invalid_input', `${handle} is ${held.state}`)
  }
  const grant = { by, key: await ownerKey(by), to, verbs: [...new Set(verbs)], at }
  const ref = await refOf(to, handle)
  await compareAndSet(async () => {
    const record = await store.get(ref)
    await store.put({ ...ref, value: encodeGrant({ grant }) }, record?.revision ?? 0)
  })
  await rememberService(store, to, held.service)
  return { ...viewCredential(held), shared: { by, verbs: grant.verbs } }
}

export async function unshare(
  store: Store,
  credential: CredentialRef,
  owner: Owner,
): Promise<void> {
  const { handle, to } = parties(credential, owner)
  await giveBack(store, to, handle)
}

/** Deletes a grant; what is an owner's own stays. */
export async function giveBack(store: Store, owner: Owner, handle: string): Promise<void> {
  const ref = await refOf(owner, handle)
  await compareAndSet(async () => {
    const record = await store.get(ref)
    if (record === undefined || !('grant' in decodeCredential(record.value))) return
    await store.delete(ref, record.revision)
  })
}

async function refOf(owner: Owner, id: string): Promise<RecordRef> {
  return { kind: 'credential', owner: await ownerKey(owner), id }
}

function parties(credential: CredentialRef, owner: Owner) {
  const ref = parse(credentialRef, credential)
  const by = parseOwner(ref.owner)
  const to = parseOwner(owner)
  if (sameOwner(by, to)) {
    throw new AuthError('invalid_input', 'a credential is shared with another owner than its own')
  }
  return { handle: ref.handle, by, to }
}
