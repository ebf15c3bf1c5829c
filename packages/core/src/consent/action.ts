import { sha256 } from '../encoding.ts'
import type { AssertedIdentity } from '../methods/method.ts'
import type { Owner } from '../owner.ts'

/** The five things an agent can do. */
export type Verb = 'discover' | 'register' | 'claim' | 'use' | 'revoke'

/** One text that is accepted: its address, and what it said when it was read. */
export interface TermsText {
  readonly role: 'terms' | 'privacy' | 'terms-eu'
  readonly url: string
  /** SHA-256 of the text, base64url; absent where it could not be read. */
  readonly textHash?: string
  /** Epoch milliseconds when it was read, or tried to be. */
  readonly readAt: number
}

/** What binds somebody, with everything that a person must know to decide. */
export type Effect =
  | { readonly kind: 'accept-terms'; readonly texts: readonly TermsText[] }
  | {
      readonly kind: 'present-identity'
      readonly email: string
      readonly emailFrom: 'session' | 'mailbox' | 'inbox' | 'person' | 'model'
      readonly to: string
    }
  | {
      readonly kind: 'present-identity'
      /** What an assertion, signed by an identity provider, says of the person. */
      readonly assertion: AssertedIdentity
      readonly to: string
    }
  | {
      readonly kind: 'create-credential'
      readonly at: string
      readonly audience: readonly string[]
      readonly credential: string
      /**
       * The scopes that are asked for, or, where the service alone decides, those that it names; each
       * once, sorted. Absent where none are known: then it may hold all that there is.
       */
      readonly scopes?: readonly string[]
      /** Why another one is made, where an earlier one may already exist. */
      readonly note?: string
    }
  | {
      readonly kind: 'unsafe-request'
      readonly method: string
      readonly url: string
      /** SHA-256 of the body, base64url. */
      readonly bodyHash?: string
      /** The body as it would be sent, cut to 2,000 characters; of a tool, its arguments. */
      readonly body?: string
      /** The service's own tool that is called. */
      readonly tool?: {
        readonly name: string
        /** SHA-256 of the definition under which it was mounted, base64url. */
        readonly definition: string
        /** The handle of the credential that the call carries. */
        readonly credential: string
      }
    }
  /** Asked about only where a policy says so. */
  | { readonly kind: 'safe-request'; readonly method: string; readonly url: string }
  /** The first request to a service that the owner has had nothing to do with; likewise. */
  | { readonly kind: 'first-contact'; readonly domain: string; readonly url: string }
  | {
      readonly kind: 'revoke'
      readonly credential: string
      readonly how: 'guided' | 'programmatic' | 'local'
      readonly url?: string
    }

/** What a verb is about to do, seen from outside. */
export interface Action {
  readonly verb: Verb
  readonly owner: Owner
  readonly service: string
  readonly registration?: string
  /** The way of registering; the registration fixes it. */
  readonly method?: string
  /** Grows when what is consented to has been done; a new revision is a new action. */
  readonly revision: number
  readonly effects: readonly Effect[]
  /** Nobody of the tenant has held a credential of this service before. Not part of the digest. */
  readonly firstTime?: true
  /** SHA-256 over all of the above but `firstTime`, base64url: what a consent is found by. */
  readonly digest: string
  /** Plain sentences for the person who decides, one an effect. */
  readonly summary: string
}

/** Makes an action: computes its digest and its summary. */
export async function makeAction(parts: Omit<Action, 'digest' | 'summary'>): Promise<Action> {
  const { verb, owner, service, registration, revision, effects, firstTime } = parts
  const digest = await sha256(
    canonical({ verb, owner, service, registration: registration ?? null, revision, effects }),
  )
  return { ...parts, digest, summary: summarise(service, effects, firstTime) }
}

/** JSON with sorted keys, undefined left out: equal values give equal texts. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    entries.sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`
  }
  return JSON.stringify(value)
}

const roles = {
  terms: 'the terms',
  privacy: 'the privacy policy',
  'terms-eu': 'the terms for the EU',
} as const
const emailOrigin = {
  session: '',
  mailbox: ' (the mailbox that the operator set up)',
  inbox: ' (the inbox that was made for this)',
  person: ' (given by a person)',
  model: ' (proposed by the model: check it)',
} as const

function summarise(service: string, effects: readonly Effect[], firstTime?: true): string {
  const remarks = [
    ...(firstTime ? ['first time: nothing has been held there before'] : []),
    ...(service.includes('xn--') ? ['its name holds letters that can look like others'] : []),
  ]
  const head = remarks.length === 0 ? service : `${service} (${remarks.join('; ')})`
  return [`${head}:`, ...effects.map(sentence)].join('\n')
}

function sentence(effect: Effect): string {
  switch (effect.kind) {
    case 'accept-terms': {
      const texts = effect.texts.map(
        ({ role, url, textHash }) =>
          `${roles[role]} ${url}${textHash ? '' : ' (its text could not be read)'}`,
      )
      return `Accept on your behalf: ${texts.join(' and ')}.`
    }
    case 'present-identity':
      if ('assertion' in effect) return assertionSentence(effect.to, effect.assertion)
      return `Tell ${effect.to} the address ${effect.email}${emailOrigin[effect.emailFrom]}, to which it may send mail.`
    case 'create-credential': {
      const use = `to be used only under ${effect.audience.join(' and ')}`
      const scopes = effect.scopes ? ` Its scopes: ${effect.scopes.join(', ')}.` : ''
      return `Create ${effect.credential} at ${effect.at}, ${use}.${scopes}${effect.note ? ` ${effect.note}` : ''}`
    }
    case 'unsafe-request':
      if (effect.tool) {
        return `Run the service's tool ${effect.tool.name} at ${effect.url} with ${effect.body}.`
      }
      return `Send ${effect.method} ${effect.url}${effect.body ? ` with the body ${effect.body}` : ''}.`
    case 'safe-request':
      return `Send ${effect.method} ${effect.url}, which changes nothing there.`
    case 'first-contact':
      return `For the first time, ask ${effect.domain} how it lets agents in, beginning at ${effect.url}.`
    case 'revoke': {
      const guided = `: you delete it at ${effect.url}, then one request checks that it is refused`
      const how = { guided, programmatic: ' by its revocation endpoint', local: '' }[effect.how]
      return `Revoke the credential ${effect.credential}${how}. The agent cannot use it from then on.`
    }
  }
}

function assertionSentence(to: string, { issuer, subject, ...said }: AssertedIdentity): string {
  const { name, email, phone } = said
  const words = [name, email, phone].filter((one) => one !== undefined)
  const who =
    words.length === 0 ? `its user ${subject}` : `${words.join(', ')} (its user ${subject})`
  return `Have ${issuer} assert to ${to} that you are ${who}, now and each time the access is renewed.`
}
