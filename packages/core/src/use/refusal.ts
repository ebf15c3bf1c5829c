import type { Outcome, RefusalCode } from '../outcome.ts'
import type { Credential } from '../vault/credentials.ts'

/** What a status of the service means, where it is a refusal. */
export function refusal(
  { service, handle }: Credential,
  status: number,
  binds: boolean,
): Extract<Outcome, { status: 'refused' }> | undefined {
  const say = (code: RefusalCode, reason: string, next: string) =>
    ({ status: 'refused', service, code, reason, next }) as const
  if (status === 401) {
    return say(
      'credential_invalid',
      'The service does not accept the credential (any more).',
      `auth_register { service: "${service}" } gets a new one, auth_revoke { credential: "${handle}" } gives this one up`,
    )
  }
  if (status === 403) {
    return say(
      'permission_denied',
      'The service does not allow this with this credential.',
      'another request, or tell the person that the credential needs more rights there',
    )
  }
  if (status === 402) {
    return say(
      'payment_required',
      'The service wants to be paid for this. Nothing was spent, and nobody here pays by themselves.',
      'tell the person what it asks for; another request may be free',
    )
  }
  if (status === 429) {
    return say('rate_limited', 'The service limits requests.', 'the same call again, later')
  }
  if (status >= 500 && binds) {
    return say(
      'service_failed',
      'The service failed; whether it was done is not known.',
      'auth_use with a GET that shows whether it was done',
    )
  }
  if (status >= 500) {
    return say('service_failed', 'The service failed.', 'the same call again, later')
  }
  if (status >= 400) {
    return say(
      'service_refused',
      'The service refused the request.',
      'auth_use with a corrected request',
    )
  }
  return undefined
}
