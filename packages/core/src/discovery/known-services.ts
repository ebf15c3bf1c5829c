import { AuthError } from '../errors.ts'
import { registrableDomain } from '../net/url.ts'
import { type Owner, ownerKey } from '../owner.ts'
import { compareAndSet } from '../vault/compare-and-set.ts'
import { pagesOf } from '../vault/pages.ts'
import type { RecordRef, Store } from '../vault/store.ts'
import { skeleton } from './look-alike.ts'

/** Domains that a tenant's record keeps; the oldest go first. */
const maxDomains = 2_000

/**
 * Remembers that a tenant uses a service: its registrable domain, for all owners of the tenant, and
 * beyond the end of the credential.
 */
export async function rememberService(store: Store, owner: Owner, service: string): Promise<void> {
  const domain = domainOf(service)
  if (domain === undefined) return
  const ref = await refOf(owner)
  await compareAndSet(async () => {
    const record = await store.get(ref)
    const domains = record === undefined ? [] : read(record.value)
    if (domains.includes(domain)) return
    const value = JSON.stringify([...domains, domain].slice(-maxDomains))
    await store.put({ ...ref, value }, record?.revision ?? 0)
  })
}

/** Whether somebody of the tenant has held a credential there. */
export async function usesService(store: Store, owner: Owner, service: string): Promise<boolean> {
  const domain = domainOf(service)
  return domain !== undefined && (await domainsOf(store, owner)).includes(domain)
}

/**
 * Refuses a service whose domain a person could take for one that the tenant uses. A domain that is
 * itself in use is never refused, so that `import` is the operator's way to say that it is meant.
 *
 * @throws AuthError `look_alike`, naming the known one
 */
export async function refuseLookAlike(store: Store, owner: Owner, service: string): Promise<void> {
  const domain = domainOf(service)
  if (domain === undefined) return
  const known = await domainsOf(store, owner)
  if (known.includes(domain)) return
  const shape = skeleton(domain)
  const alike = known.find((one) => skeleton(one) === shape)
  if (alike === undefined) return
  throw new AuthError(
    'look_alike',
    `${domain} can be taken for ${alike}, which is in use here: nothing was asked of it`,
    { details: { known: alike } },
  )
}

/** Those of the list, and those of the owner's credentials: a list that could not be written hides none. */
async function domainsOf(store: Store, owner: Owner): Promise<readonly string[]> {
  const record = await store.get(await refOf(owner))
  const domains = record === undefined ? [] : read(record.value)
  const key = await ownerKey(owner)
  for await (const { records } of pagesOf(store, { kind: 'credential', owner: key })) {
    for (const { value } of records) {
      const { service } = JSON.parse(value) as { service: string }
      domains.push(domainOf(service) ?? service)
    }
  }
  return domains
}

function domainOf(service: string): string | undefined {
  const url = URL.parse(service)
  return url === null ? undefined : registrableDomain(url.hostname.replace(/\.$/, ''))
}

async function refOf({ tenant }: Owner): Promise<RecordRef> {
  return { kind: 'meta', owner: await ownerKey({ tenant }), id: 'services' }
}

function read(value: string): string[] {
  return JSON.parse(value) as string[]
}
