import { sha256 } from '../encoding.ts'
import type { Registration } from '../engine/registration.ts'
import { AuthError } from '../errors.ts'
import type { Callback } from '../methods/method.ts'
import { isOpen } from '../register.ts'
import { Secret } from '../vault/secret.ts'

const maxLength = 16_384

/** What a browser brought back to the redirect URI. */
export interface CameBack {
  /** Of the address. Its origin is what a proxy or a framework makes of it: `http://localhost` for https. */
  readonly path: string
  readonly state: string
  readonly callback: Callback
}

/**
 * Reads the address by which a browser came back. The code is a secret from here on.
 *
 * @throws AuthError `invalid_input` for what is no authorization response
 */
export function readCallback(address: string | URL): CameBack {
  const url = URL.parse(String(address))
  const states = url?.searchParams.getAll('state') ?? []
  const [state] = states
  if (url === null || url.href.length > maxLength || states.length !== 1 || !state) {
    throw new AuthError('invalid_input', 'this is no answer of an authorization server')
  }
  const codes = url.searchParams.getAll('code').filter((code) => code !== '')
  const query = new URLSearchParams(
    [...url.searchParams].map(([name, value]) => [name, name === 'code' ? 'code' : value]),
  )
  const [code] = codes
  return {
    path: url.pathname,
    state,
    callback: {
      query: query.toString(),
      ...(codes.length === 1 && code !== undefined ? { code: new Secret(code) } : {}),
    },
  }
}

/**
 * The registration of an owner that a browser came back for: the one whose `state` it brings, at the path
 * of the redirect URI that was named to the server.
 *
 * @throws AuthError `not_found` where none of this owner's waits for it (any more)
 */
export async function awaiting(
  registrations: readonly Registration[],
  { state, path }: CameBack,
): Promise<Registration> {
  const given = await sha256(state)
  for (const registration of registrations.filter(isOpen)) {
    const wait = registration.wait
    const expected = wait?.for === 'person' ? wait.callback : undefined
    // Hashes take as long to compare whatever they have in common with what was guessed.
    if (expected === undefined || (await sha256(expected.state)) !== given) continue
    if (new URL(expected.redirectUri).pathname === path) return registration
  }
  throw new AuthError('not_found', 'nobody waits for this answer of an authorization server')
}
