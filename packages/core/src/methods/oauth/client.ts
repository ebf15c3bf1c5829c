import { z } from 'zod'
import { isLoopbackHost } from '../../net/url.ts'
import { Secret } from '../../vault/secret.ts'
import type { MethodContext, PlanAnswer } from '../method.ts'
import { plain, type Step } from '../step.ts'
import * as code from './code.ts'
import * as device from './device.ts'
import { later, refusal } from './ends.ts'
import * as plans from './plans.ts'
import type { Client, ClientAuth, State } from './state.ts'

const defaultName = 'An agent, by authmd'

const answerSchema = z.looseObject({
  client_id: z.string().min(1).max(2_048),
  client_secret: z.string().min(1).optional().catch(undefined),
  token_endpoint_auth_method: z
    .enum(['none', 'client_secret_basic', 'client_secret_post'])
    .optional()
    .catch(undefined),
  registration_access_token: z.string().min(1).optional().catch(undefined),
  registration_client_uri: z.string().max(2_048).optional().catch(undefined),
})

/** Asks for a client of our own (RFC 7591). */
export function register(state: State, { now }: MethodContext, name: string = defaultName): Step {
  const asked: State = { ...state, step: 'client', askedAt: now }
  const send = [plans.register(asked, state.plan.register ?? '', name)] as const
  return { state: plain(asked), next: { send } }
}

/** The client is there, or it is not: only a plain no says that none was made. */
export function registered(
  state: State,
  context: MethodContext,
  answer: PlanAnswer,
): Step | Promise<Step> {
  const { data } = answerSchema.safeParse(answer.json)
  if (answer.status >= 200 && answer.status < 300 && data !== undefined) {
    const client = clientIn(state, data)
    const known: State = { ...state, client, failures: 0 }
    const secrets = {
      ...(data.client_secret ? { client_secret: new Secret(data.client_secret) } : {}),
      ...(client.manage && data.registration_access_token
        ? { registration_access_token: new Secret(data.registration_access_token) }
        : {}),
    }
    return goOn(known, context, secrets)
  }
  if (answer.status < 400 || answer.status >= 500) return lost(state, context)
  if (answer.status === 429) {
    const again = later(state, context.now, 'client-later', 'oauth_client', answer)
    return { ...again, refusedBeforeCommit: true }
  }
  const reason = 'The authorization server registers no client for us.'
  return { ...refusal(state, 'oauth_client', answer, reason), refusedBeforeCommit: true }
}

async function goOn(
  state: State,
  context: MethodContext,
  secrets: NonNullable<Step['secrets']>,
): Promise<Step> {
  const step =
    state.plan.grant === 'device' ? device.ask(state) : await code.authorise(state, context)
  return { ...step, secrets: { ...secrets, ...step.secrets } }
}

function clientIn({ plan }: State, data: z.infer<typeof answerSchema>): Client {
  const { client_id: id, client_secret, registration_client_uri: uri } = data
  const named: ClientAuth = data.token_endpoint_auth_method ?? plan.auth
  // What it says and what it gives need not agree: without a secret there is only one way.
  const auth = client_secret === undefined ? 'none' : named
  const manage = uri && data.registration_access_token ? managed(uri, plan.register) : undefined
  return { id, auth, ...(manage === undefined ? {} : { manage }) }
}

/** Where the client is managed: at the server that registered it, or its token would go elsewhere. */
function managed(address: string, register = ''): string | undefined {
  const url = URL.parse(address, register)
  const secure = url?.protocol === 'https:' || isLoopbackHost(url?.hostname ?? '')
  return url !== null && secure && url.origin === new URL(register).origin ? url.href : undefined
}

/** It may have been made. */
export function lost(state: State, { now }: MethodContext): Step {
  const orphan = {
    what: 'a client without a token, which can do nothing by itself',
    request: 'oauth_client',
    at: state.askedAt ?? now,
  }
  return { ...forRetry({ ...state, step: 'lost-client', lost: state.lost + 1 }), orphan }
}

export function forRetry(state: State): Step {
  const check =
    'The answer to oauth_client was lost: there may be a client that nobody uses. Without a ' +
    'person who agrees at the server it is good for nothing.'
  return { state: plain(state), next: { wait: { for: 'retry', request: 'oauth_client', check } } }
}
