import type { Presentation } from '../methods/method.ts'
import type { Credential } from './credentials.ts'
import { Secret } from './secret.ts'

/** Leaves out what holds the same secret as one before it. */
export function distinct<T extends { readonly secret: Secret }>(items: readonly T[]): readonly T[] {
  const values = items.map(({ secret }) => Secret.open(secret))
  return items.filter((_, at) => values.indexOf(values[at] ?? '') === at)
}

/** Whether two states of a credential hold the same secrets: nothing was renewed between them. */
export function sameSecrets(one: Credential, other: Credential): boolean {
  const values = (of: Credential) => JSON.stringify(secretsOf(of).map((it) => Secret.open(it)))
  return values(one) === values(other)
}

/** All secrets of a credential, also as they are sent. */
export function secretsOf({
  secret,
  secrets,
  refresh,
  claim,
  client,
  basic,
}: Credential): readonly Secret[] {
  return [
    ...(secret ? [secret] : []),
    ...(secret && basic ? [basicPair(basic, secret)] : []),
    ...Object.values(secrets ?? {}),
    ...[refresh, claim, client].flatMap((one) => Object.values(one?.secrets ?? {})),
  ]
}

/** User name and password as RFC 7617 writes them in one, in base64. */
export function basicPair({ user }: NonNullable<Presentation['basic']>, secret: Secret): Secret {
  const text = Secret.open(secret)
  return new Secret(btoa(user === undefined ? `${text}:` : `${user}:${text}`))
}
