import type { Effect } from '../../consent/action.ts'
import type { ServiceProfile } from '../../discovery/profile.ts'
import { confinedAudience } from '../../use/audience.ts'
import { Secret } from '../../vault/secret.ts'
import type {
  IssuedCredential,
  Json,
  Method,
  MethodContext,
  MethodEvent,
  Offer,
  PlanAnswer,
  RequestPlan,
} from '../method.ts'
import { only, plain, type Step } from '../step.ts'
import { asksModel, bodyOf, credentialIn, question, readValues, takesModel } from './form.ts'
import { offerOf } from './offer.ts'
import { type Filled, filledBefore, type Plan, type State } from './state.ts'

const request = 'described_request'
const termsRequest = 'read-terms'
const maxRefusals = 3
const laterMs = 60_000

/**
 * Sends the one request that a document describes for signing up: the model fills in what only it can say, a
 * person agrees to the exact request, and the credential in the answer goes to the vault. What was
 * filled in is kept as a recipe, with which the next registration needs no model.
 */
export const guided: Method = {
  id: 'guided',

  offers(profile: ServiceProfile): readonly Offer[] {
    const offer = offerOf(profile)
    return offer === undefined ? [] : [offer]
  },

  begin(context: MethodContext, { plan: given }: Offer): Step {
    const plan = given as unknown as Plan
    const values =
      filledBefore(context.recipe, plan.request) ?? (asksModel(plan.request) ? undefined : {})
    const state: State = { plan, refusals: 0, ...(values ? { values } : {}) }
    return plan.request.terms === undefined ? go(state, context) : readTerms(state)
  },

  next(context: MethodContext, json: Json, event: MethodEvent): Step {
    const state = json as unknown as State
    switch (event.type) {
      case 'model': {
        const values = readValues(state.plan.request, event.answer)
        return typeof values === 'string'
          ? ask(state, context, values)
          : go({ ...state, values }, context)
      }
      case 'answer':
        return termsRequest in event.answers
          ? go(termsRead(state, context, event.answers[termsRequest]), context)
          : answered(state, context, only(guided.id, event.answers, request))
      case 'lost':
        return lost(state, context)
      case 'retry':
        return send(state, context)
      default:
        if (state.lost) return forRetry(state)
        return isUnread(state) ? readTerms(state) : go(state, context)
    }
  },
}

/** The text that would be accepted, read so that what it said is on record. */
function readTerms(state: State): Step {
  const { terms: url = '' } = state.plan.request
  const plan: RequestPlan = {
    name: termsRequest,
    request: { method: 'GET', url, redirects: 'checked' },
    effect: 'none',
    ifLost: 'repeat',
  }
  return { state: plain(state), next: { send: [plan] } }
}

function termsRead(
  state: State,
  { now }: MethodContext,
  answer: PlanAnswer | 'lost' | undefined,
): State {
  const { terms: url = '' } = state.plan.request
  const read = typeof answer === 'object' && answer.status === 200 ? answer.textHash : undefined
  const hash = read === undefined ? {} : { textHash: read }
  return { ...state, terms: { role: 'terms', url, ...hash, readAt: now } }
}

function isUnread({ plan, terms }: State): boolean {
  return plan.request.terms !== undefined && terms === undefined
}

function go(state: State, context: MethodContext): Step {
  return state.values === undefined ? ask(state, context) : send(state, context)
}

/** Asks the model, or first a person for the address that the document asks for. */
function ask(state: State, context: MethodContext, notice?: string): Step {
  const noted = notice === undefined ? {} : { notice }
  if (lacksEmail(state.plan, context)) return forEmail(state)
  const wait = { for: 'model', ...question(state.plan.request), accept: 'text', ...noted } as const
  return { state: plain(state), next: { wait } }
}

function lacksEmail({ request: { fields } }: Plan, { identity }: MethodContext): boolean {
  const needed = fields.some(({ from, required }) => from === 'email' && required)
  return needed && identity.email === undefined
}

function forEmail(state: State): Step {
  const text = `${new URL(state.plan.request.url).host} asks for an address. Which one may it be given?`
  const wait = { for: 'person', need: { kind: 'give-email', text } } as const
  return { state: plain(state), next: { wait } }
}

function send(state: State, context: MethodContext): Step {
  if (lacksEmail(state.plan, context)) return forEmail(state)
  const { plan, values = {} } = state
  const { email } = context.identity
  const { url } = plan.request
  const body = bodyOf(plan.request, values, email)
  const sent: RequestPlan = {
    name: request,
    request: { method: 'POST', url, ...body, redirects: 'none' },
    effect: 'creates',
    ifLost: 'uncertain',
    binds: effectsOf(state, context, body),
  }
  return { state: plain({ ...state, sentAt: context.now }), next: { send: [sent] } }
}

/** Everything that the request binds to, and the request itself, letter by letter. */
function effectsOf(
  { plan, terms, lost: again }: State,
  { identity }: MethodContext,
  body: ReturnType<typeof bodyOf>,
): readonly Effect[] {
  const { url, fields, document, line } = plan.request
  const tells = fields.some(({ from, required }) => from === 'email' && required)
  const accepts = fields.some(({ from, required }) => from === 'terms' && required)
  const { email, emailFrom = 'model' } = identity
  const note = again
    ? `An earlier request may have made one already, and nobody holds it.`
    : `As described in ${document}, line ${line}.`
  return [
    ...(accepts && terms ? [{ kind: 'accept-terms', texts: [terms] } as const] : []),
    ...(tells && email
      ? [{ kind: 'present-identity', email, emailFrom, to: new URL(url).host } as const]
      : []),
    {
      kind: 'create-credential',
      at: url,
      audience: confinedAudience(url, plan.bases).bases,
      credential: 'an account and a credential',
      note,
    },
    {
      kind: 'unsafe-request',
      method: 'POST',
      url,
      body: JSON.stringify('json' in body ? body.json : body.form).slice(0, 2000),
    },
  ]
}

function answered(state: State, context: MethodContext, answer: PlanAnswer): Step {
  const { plan, values = {} } = state
  const { status } = answer
  if (status >= 200 && status < 300) {
    const value = credentialIn(answer.json, plan.request.credential)
    if (value !== undefined) {
      const filled: Filled = { request: plan.request, values }
      return {
        state: plain(state),
        secrets: { key: new Secret(value) },
        next: { done: { ...issued(plan), recipe: plain(filled) } },
      }
    }
    const reason = `The answer has no ${plan.request.credential}, which the document promises.`
    return { ...failed(state, 'service_failed', reason, status), ...orphan(state, context) }
  }
  // Neither a failure nor a redirect says that nothing was done.
  if (status < 400 || status >= 500) return lost(state, context)
  if (status === 429) {
    const at = context.now + (answer.retryAfterMs ?? laterMs)
    const reason = 'The service limits signups.'
    const wait = { for: 'time', at, reason } as const
    return { state: plain(state), refusedBeforeCommit: true, next: { wait } }
  }
  const refusals = state.refusals + 1
  const canMend = mendable.includes(status) && takesModel(plan.request)
  if (refusals >= maxRefusals || !canMend) {
    const reason = `The service refused the request with ${status}.`
    return { ...failed(state, 'service_refused', reason, status), refusedBeforeCommit: true }
  }
  const { values: _, ...rest } = state
  const notice = `The service refused what was filled in (${status}). Something else is needed.`
  return { ...ask({ ...rest, refusals }, context, notice), refusedBeforeCommit: true }
}

/** What other values may mend: a bad request, a conflict, a field that cannot be taken. */
const mendable = [400, 409, 422]

function lost(state: State, context: MethodContext): Step {
  return { ...forRetry({ ...state, lost: true }), ...orphan(state, context) }
}

function forRetry(state: State): Step {
  const { revocation } = state.plan
  const look = revocation === undefined ? '' : ` A person can look at ${revocation}.`
  const check = `The answer was lost: there may be an account with a credential that nobody holds.${look}`
  return { state: plain(state), next: { wait: { for: 'retry', request, check } } }
}

function orphan({ plan, sentAt }: State, { now }: MethodContext) {
  const { revocation } = plan
  const what = 'an account with a credential that nobody holds'
  const url = revocation === undefined ? {} : { url: revocation }
  return { orphan: { what, request, at: sentAt ?? now, ...url } }
}

function failed(
  state: State,
  code: 'service_refused' | 'service_failed',
  reason: string,
  httpStatus: number,
): Step {
  return { state: plain(state), next: { failed: { code, reason, httpStatus } } }
}

function issued({
  request: { url },
  presentation,
  bases,
  probe,
  revocation,
}: Plan): IssuedCredential {
  return {
    secret: 'key',
    kind: 'api_key',
    ...presentation,
    issuedBy: url,
    bases,
    ...(probe === undefined ? {} : { probe }),
    ...(revocation === undefined
      ? {}
      : { revocation: { mode: 'interactive' as const, url: revocation } }),
  }
}
