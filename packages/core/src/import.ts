import { AuthError } from './errors.ts'
import { cleanSecret, type ImportInput, importInput, parse, serviceUrl } from './inputs.ts'
import type { Owner } from './owner.ts'
import { audienceOf, covers } from './use/audience.ts'
import { type Credential, Credentials } from './vault/credentials.ts'
import { Secret } from './vault/secret.ts'

interface ImportParts {
  readonly owner: Owner
  readonly credentials: Credentials
  readonly now: () => number
}

/** Puts a credential into the vault that no registration of ours has made. */
export async function importCredential(
  { owner, credentials, now }: ImportParts,
  input: ImportInput,
): Promise<Credential> {
  const { service, secret, header, audience, probe, revocation } = parse(importInput, input)
  const bases = audienceOf(typeof audience === 'string' ? [audience] : audience)
  if (probe !== undefined && !covers(bases, new URL(probe))) {
    throw new AuthError('invalid_input', 'probe: not below the audience')
  }
  const prefix = header === undefined ? 'Bearer ' : (header.prefix ?? '')
  return credentials.add({
    handle: Credentials.handle(),
    owner,
    service: serviceUrl(service),
    start: service,
    kind: 'api_key',
    method: 'import',
    header: header?.name.toLowerCase() ?? 'authorization',
    prefix,
    secret: new Secret(cleanSecret(secret, prefix)),
    audience: bases,
    state: 'active',
    ...(probe === undefined ? {} : { probe }),
    ...(revocation === undefined
      ? {}
      : { revocation: { mode: 'interactive' as const, url: revocation } }),
    issuedAt: now(),
    revision: 0,
  })
}
