import { AuthError } from './errors.ts'
import type { AuthEvent } from './events.ts'
import { cleanSecret, type ImportInput, importInput, parse, serviceUrl } from './inputs.ts'
import type { Beside, Presentation } from './methods/method.ts'
import type { Owner } from './owner.ts'
import { audienceOf, covers } from './use/audience.ts'
import { type Credential, Credentials } from './vault/credentials.ts'
import { Secret } from './vault/secret.ts'

interface ImportParts {
  readonly owner: Owner
  readonly credentials: Credentials
  readonly now: () => number
  readonly emit: (event: AuthEvent) => void
}

/** Puts a credential into the vault that no registration of ours has made. */
export async function importCredential(
  { owner, credentials, now, emit }: ImportParts,
  input: ImportInput,
): Promise<Credential> {
  const given = parse(importInput, input)
  const { service, secret, audience, probe, revocation } = given
  const bases = audienceOf(typeof audience === 'string' ? [audience] : audience)
  if (probe !== undefined && !covers(bases, new URL(probe))) {
    throw new AuthError('invalid_input', 'probe: not below the audience')
  }
  const { presentation, secrets } = presented(given)
  const { prefix, basic } = presentation
  // What a person copies for curl: `-u key:`.
  const pasted = basic && basic.user === undefined ? secret.trim().replace(/:$/, '') : secret
  const kept = await credentials.add({
    handle: Credentials.handle(),
    owner,
    service: serviceUrl(service),
    start: service,
    kind: 'api_key',
    method: 'import',
    ...presentation,
    secret: new Secret(cleanSecret(pasted, basic ? '' : prefix)),
    ...(Object.keys(secrets).length === 0 ? {} : { secrets }),
    audience: bases,
    state: 'active',
    ...(probe === undefined ? {} : { probe }),
    ...(revocation === undefined
      ? {}
      : { revocation: { mode: 'interactive' as const, url: revocation } }),
    issuedAt: now(),
    revision: 0,
  })
  const { handle } = kept
  emit({ type: 'imported', at: now(), owner, service: kept.service, credential: handle })
  return kept
}

/** How it is sent, and the secrets that go beside it. */
function presented({ header, basic, query, beside = [] }: ImportInput): {
  readonly presentation: Presentation
  readonly secrets: Readonly<Record<string, Secret>>
} {
  const secrets: Record<string, Secret> = {}
  const places = beside.map((one, at): Beside => {
    const name = one.header?.toLowerCase() ?? one.query ?? ''
    const place = { in: one.header === undefined ? 'query' : 'header', name } as const
    if (one.text !== undefined) return { ...place, text: one.text }
    const secret = `beside${at}`
    secrets[secret] = new Secret(cleanSecret(one.secret ?? '', ''))
    return { ...place, secret }
  })
  const scheme = basic ? 'Basic ' : 'Bearer '
  const presentation = {
    header: header?.name.toLowerCase() ?? 'authorization',
    prefix: header === undefined ? scheme : (header.prefix ?? ''),
    ...(basic && { basic: basic.user === undefined ? {} : { user: basic.user } }),
    ...(query === undefined ? {} : { query }),
    ...(places.length === 0 ? {} : { beside: places }),
  }
  return { presentation, secrets }
}
