import { sendPlan } from '../engine/send.ts'
import type { RequestPlan } from '../methods/method.ts'
import { createGuardedFetch } from '../net/guarded-fetch.ts'
import type { NetOptions } from '../net/transport.ts'
import type { Credential } from '../vault/credentials.ts'
import type { Secret } from '../vault/secret.ts'

/** What the service says of one request that is to end something. */
export type Said = 'ended' | 'refused' | 'unclear'

/**
 * RFC 7009: a 200 says that it is ended, whatever it was. The refresh token first, so that no token can
 * come after the one that is ended here. Whoever is killed in between asks both again.
 */
export async function endTokens(
  net: NetOptions,
  credential: Credential,
): Promise<NonNullable<Credential['verdict']> | 'unclear'> {
  const { secret, refresh, revocation } = credential
  if (secret === undefined || revocation === undefined) return { state: 'forgotten' }
  const end = (token: Secret, hint: string) =>
    askToEnd(net, credential, revocation.url, token, hint)
  const refreshToken = refresh?.secrets[revocation.refreshToken ?? '']
  const before = refreshToken && (await end(refreshToken, 'refresh_token'))
  const said = await end(secret, 'access_token')
  if (said === 'unclear' || before === 'unclear') return 'unclear'
  // It takes no such request: all that is left is to hold it no more.
  if (said === 'refused') {
    return { state: 'forgotten', ...(before === 'ended' ? { left: 'access_token' } : {}) }
  }
  if (before === 'refused') return { state: 'forgotten', left: 'refresh_token' }
  return { state: 'revoked' }
}

async function askToEnd(
  net: NetOptions,
  { client, refresh, start }: Credential,
  url: string,
  token: Secret,
  hint: string,
): Promise<Said> {
  const { form, ...proof } = client?.proof ?? {}
  const plan: RequestPlan = {
    name: 'revoke_token',
    request: {
      method: 'POST',
      url,
      form: { ...form, token: { secret: 'token' }, token_type_hint: hint },
      ...proof,
      redirects: 'none',
    },
    effect: 'idempotent',
    ifLost: 'repeat',
  }
  // What renews it holds the newer ones.
  const secrets = { ...client?.secrets, ...refresh?.secrets, token }
  return said(await sendPlan(plan, secrets, start, createGuardedFetch(net)), [200])
}

/** RFC 7592 §2.3. A client that is not there is gone. */
export async function deleteClient(net: NetOptions, { client, start }: Credential): Promise<Said> {
  if (client?.deletion === undefined) return 'ended'
  const sent = await sendPlan(client.deletion, client.secrets, start, createGuardedFetch(net))
  return said(sent, [200, 204, 404, 410])
}

function said(sent: Awaited<ReturnType<typeof sendPlan>>, ended: readonly number[]): Said {
  if (typeof sent !== 'object' || !('status' in sent)) return 'unclear'
  if (ended.includes(sent.status)) return 'ended'
  return sent.status < 500 && sent.status !== 429 ? 'refused' : 'unclear'
}
