import type { ServiceProfile } from '../../discovery/profile.ts'
import { AuthError } from '../../errors.ts'
import { parse } from '../../inputs.ts'
import type { Json, Method, MethodContext, MethodEvent, Offer, PersonInput } from '../method.ts'
import { type Answers, only, plain, type Step } from '../step.ts'
import * as client from './client.ts'
import * as code from './code.ts'
import * as device from './device.ts'
import { clientEnded } from './ends.ts'
import { offerOf } from './offer.ts'
import { type Grant, type OAuthOptions, oauthOptions } from './options.ts'
import * as plans from './plans.ts'
import { scopesFor } from './scopes.ts'
import type { Plan, State } from './state.ts'
import * as token from './token.ts'

/**
 * OAuth 2 at the authorization server that a service names: `oauth-client` (the operator's own client),
 * `oauth-device` (a person types a code) and `oauth-code` (a person is sent there by a browser).
 *
 * @throws AuthError `invalid_input` for options of another form
 * @example
 * const methods = [telnyxSignup, ...oauthMethods({ redirectUri: 'https://agents.operator.example/back' })]
 */
export function oauthMethods(options: OAuthOptions = {}): readonly Method[] {
  const checked = parse(oauthOptions, options)
  return (['client', 'device', 'code'] as const).map((grant) => oauthMethod(grant, checked))
}

function oauthMethod(grant: Grant, options: OAuthOptions): Method {
  const id = `oauth-${grant}`
  return {
    id,

    offers(profile: ServiceProfile): readonly Offer[] {
      const offer = offerOf(profile, grant, options)
      return offer === undefined ? [] : [offer]
    },

    async begin(context: MethodContext, offer: Offer): Promise<Step> {
      const plan = offer.plan as unknown as Plan
      const scopes = scopesFor(plan, context.scopes, options.scopes)
      const { redirectUri } = options
      const state: State = {
        step: 'client',
        plan,
        scopes: scopes ?? [],
        resource: true,
        lost: 0,
        failures: 0,
        unanswered: 0,
        ...(grant === 'code' && redirectUri !== undefined ? { redirectUri } : {}),
        ...(plan.clientId === undefined ? {} : { client: { id: plan.clientId, auth: plan.auth } }),
      }
      if (scopes === undefined) {
        const reason = 'The operator does not allow the rights that are missing.'
        return { state: plain(state), next: { failed: { code: 'policy_denied', reason } } }
      }
      return start(state, context)
    },

    async next(context: MethodContext, json: Json, event: MethodEvent): Promise<Step> {
      const state = json as unknown as State
      switch (event.type) {
        case 'answer':
          return proven(await answered(state, context, event.answers))
        case 'lost':
          return lost(state, context)
        case 'person':
          return proven(await handed(state, context, event.input))
        case 'retry':
          return retried(state, context)
        default:
          return ticked(state, context)
      }
    },

    refresh: (context, state, event) => token.renew(options, context, state, event),
  }

  async function start(state: State, context: MethodContext): Promise<Step> {
    if (state.plan.client === 'dynamic') return client.register(state, context, options.clientName)
    if (grant === 'code') return code.look(state)
    const bound = plans.binds(state)
    return proven(grant === 'client' ? token.ask(state, bound) : device.ask(state, bound))
  }

  /** With what the operator's client proves itself by, wherever something is sent. */
  async function proven(step: Step): Promise<Step> {
    if (!('send' in step.next)) return step
    const state = step.state as unknown as State
    const secrets = { ...(await token.clientSecret(state, options)), ...step.secrets }
    return Object.keys(secrets).length === 0 ? step : { ...step, secrets }
  }

  function answered(state: State, context: MethodContext, answers: Answers): Step | Promise<Step> {
    const one = (name: string) => only(id, answers, name)
    switch (state.step) {
      case 'client':
        return client.registered(state, context, one('oauth_client'))
      case 'server':
        return code.looked(state, context, one('oauth_server'))
      case 'device':
        return device.asked(state, context, one('oauth_device'))
      case 'poll':
        return device.polled(state, context, one('oauth_token'))
      case 'exchange':
        return code.exchanged(state, context, one('oauth_token'))
      case 'token':
        return token.answered(state, context, one('oauth_token'))
      case 'end-client':
        return clientEnded(state, one('oauth_client_delete'))
      default:
        return ticked(state, context)
    }
  }

  function lost(state: State, context: MethodContext): Step {
    switch (state.step) {
      case 'client':
        return client.lost(state, context)
      case 'poll':
        return device.unanswered(state, context)
      case 'exchange':
        return code.lost(state, context)
      case 'end-client':
        return clientEnded(state, 'lost')
      default:
        throw new AuthError('method_failed', `${id} lost nothing that is told in ${state.step}`)
    }
  }

  function handed(state: State, context: MethodContext, input: PersonInput): Step | Promise<Step> {
    if (state.step !== 'authorise') return ticked(state, context)
    if ('callback' in input) return code.came(state, context, input.callback)
    return code.ticked(state, context, 'The browser has not come back with an answer yet.')
  }

  /** Anew, with a note in the consent that something may be there already. */
  function retried(state: State, context: MethodContext): Promise<Step> {
    if (state.step === 'lost-client') return start(state, context)
    if (state.step === 'lost-exchange') return proven(code.look(state))
    return Promise.resolve(ticked(state, context))
  }

  function ticked(state: State, context: MethodContext): Step {
    switch (state.step) {
      case 'client-later':
        return client.register(state, context, options.clientName)
      case 'lost-client':
        return client.forRetry(state)
      case 'device-later':
        return device.ask(state)
      case 'person':
        return device.ticked(state, context)
      case 'authorise':
        return code.ticked(state, context)
      case 'exchange-later':
        return code.exchange(state)
      case 'lost-exchange':
        return code.forRetry(state)
      case 'token-later':
        return token.ask(state)
      default:
        throw new AuthError('method_failed', `${id} has nothing to stay at in ${state.step}`)
    }
  }
}
