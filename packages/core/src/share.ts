import { z } from 'zod'
import { rememberService } from './discovery/known-services.ts'
import { AuthError } from './errors.ts'
import type { AuthEvent } from './events.ts'
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

/** What is needed of the rest. */
export interface ShareParts {
  readonly store: Store
  readonly credentials: Credentials
  readonly now: () => number
  readonly emit: (event: AuthEvent) => void
}

/** Writes down, with the other owner, what that one may do with a credential. Nothing of it is copied. */
export async function share(
  { store, credentials, now, emit }: ShareParts,
  credential: CredentialRef,
  owner: Owner,
  options: ShareOptions,
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
  const at = now()
  const grant = { by, key: await ownerKey(by), to, verbs: [...new Set(verbs)], at }
  const ref = await refOf(to, handle)
  await compareAndSet(async () => {
    const record = await store.get(ref)
    await store.put({ ...ref, value: encodeGrant({ grant }) }, record?.revision ?? 0)
  })
  const { service } = held
  emit({ type: 'shared', at, owner: by, service, credential: handle, to, verbs: grant.verbs })
  await rememberService(store, to, service)
  return { ...viewCredential(held), shared: { by, verbs: grant.verbs } }
}

export async function unshare(
  parts: Pick<ShareParts, 'store' | 'now' | 'emit'>,
  credential: CredentialRef,
  owner: Owner,
): Promise<void> {
  const { handle, to } = parties(credential, owner)
  await giveBack(parts, to, handle)
}

/** Deletes a grant; what is an owner's own stays. */
export async function giveBack(
  { store, now, emit }: Pick<ShareParts, 'store' | 'now' | 'emit'>,
  to: Owner,
  handle: string,
): Promise<void> {
  const ref = await refOf(to, handle)
  await compareAndSet(async () => {
    const record = await store.get(ref)
    const held = record && decodeCredential(record.value)
    if (record === undefined || held === undefined || !('grant' in held)) return
    await store.delete(ref, record.revision)
    emit({ type: 'unshared', at: now(), owner: held.grant.by, credential: handle, to })
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
