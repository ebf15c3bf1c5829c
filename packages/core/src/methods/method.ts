import type { Effect } from '../consent/action.ts'
import type { ServiceProfile, Source } from '../discovery/profile.ts'
import type { Orphan, PersonNeed, RefusalCode, ServiceError } from '../outcome.ts'
import type { MailMessage } from '../people/mailbox.ts'
import type { Secret } from '../vault/secret.ts'

/** Plain JSON, what a method's state and an offer's plan are made of. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined }

/** What a way in asks of the people and programs around it. */
export type Need = 'nothing' | 'model' | 'identity' | 'email' | 'person'

/** One method that a profile makes possible. */
export interface Offer {
  /** `id` of the method. */
  readonly method: string
  /** The service that the credential will be for. */
  readonly service: string
  /** One sentence: what happens and what it gives. */
  readonly summary: string
  readonly needs: readonly Need[]
  /** What is known before of what it gives: offers are ranked by it. */
  readonly gives?: {
    /** It is limited to what is asked for. */
    readonly scoped?: boolean
    /** It ends by itself within a day or so. */
    readonly shortLived?: boolean
    /** A program can end it at the service. */
    readonly revocable?: boolean
  }
  /** What the method needs to know to begin: the endpoints that the profile named. */
  readonly plan: Json
  readonly sources: readonly Source[]
}

/** All that a method may know beside its state: time, randomness, who is registering. */
export interface MethodContext {
  /** Epoch milliseconds. */
  readonly now: number
  random(): string
  readonly identity: Identity
  /** What an earlier registration of this method left at the service, or the application gave for it. */
  readonly recipe?: Json
  /** Scopes (RFC 6749 §3.3) that the credential whose place is to be taken was asked for, and lacked. */
  readonly scopes?: { readonly had: readonly string[]; readonly lacks: readonly string[] }
}

/** Whom a registration is for, as the application or a person said it, or as the model proposed. */
export interface Identity {
  readonly email?: string
  readonly emailFrom?: 'session' | 'mailbox' | 'inbox' | 'person' | 'model'
  /** True where mail to that address can be read without a person. */
  readonly mailbox: boolean
  /** The application can be asked for an assertion of who it is. */
  readonly asserts?: true
}

/** Whom an identity assertion speaks of, as far as it can be read. */
export interface AssertedIdentity {
  /** The identity provider that signs it. */
  readonly issuer: string
  /** The person's id there. */
  readonly subject: string
  readonly email?: string
  readonly phone?: string
  readonly name?: string
}

/** An identity assertion (ID-JAG) that the engine is to obtain: the application or its provider makes it. */
export interface IdentityWish {
  readonly audience: string
  readonly resource: string
  readonly scopes?: readonly string[]
  /** How old the person's login may be, in seconds. */
  readonly maxAge?: number
}

/** What came of such a wish. The assertion itself is never shown to a method. */
export type IdentityEvent =
  | {
      readonly type: 'identity'
      readonly who: AssertedIdentity
      /** Epoch seconds of the login at the provider. */
      readonly authTime?: number
    }
  | { readonly type: 'identity'; readonly none: 'absent' }
  /** The person has to sign in at the provider. */
  | { readonly type: 'identity'; readonly none: 'login'; readonly url?: string }
  | { readonly type: 'identity'; readonly none: 'failed'; readonly reason: string }

/** A proof of work: a whole number such that SHA-256 of `prefix` and it begins with so many zero bits. */
export interface WorkWish {
  readonly prefix: string
  readonly bits: number
}

/** What came of such a wish. `reason` is one sentence in our own words. */
export type WorkEvent =
  | { readonly type: 'work'; readonly solution: string }
  | {
      readonly type: 'work'
      readonly none: 'too-hard' | 'unavailable' | 'cancelled'
      readonly reason: string
    }

/** A request that the engine sends for a method. Secrets appear as names, never as values. */
export interface RequestPlan {
  /** Names the step in the journal: `bot_signup`. */
  readonly name: string
  readonly request: {
    readonly method: 'GET' | 'POST' | 'DELETE'
    /** The address, or the name of the secret that is the address. */
    readonly url: string | { readonly secret: string }
    readonly json?: Json
    /** Fields of the JSON object that are secrets, each with the secret's name. */
    readonly jsonSecrets?: Readonly<Record<string, string>>
    /** A form instead of JSON (`application/x-www-form-urlencoded`). */
    readonly form?: Readonly<Record<string, string | { readonly secret: string }>>
    /** `Authorization: <scheme> <secret>`. */
    readonly authorization?: { readonly scheme: string; readonly secret: string }
    /** `Authorization: Basic` of a client with its secret (RFC 6749 §2.3.1). */
    readonly basic?: { readonly user: string; readonly secret: string }
    /** A credential, put into the request as it will be when it is used. */
    readonly credential?: Presentation & { readonly secret: string }
    readonly redirects?: 'none' | 'same-origin' | 'checked'
  }
  /**
   * The secret of this name is an identity assertion that is obtained anew each time the plan is sent, and it
   * is sent only if it speaks of this very person. Otherwise the method is told, and nothing is sent.
   */
  readonly asserts?: {
    readonly secret: string
    readonly wish: IdentityWish
    readonly who: AssertedIdentity
  }
  /** `none`: reads or fetches a challenge · `idempotent`: twice is as once · `creates`: makes something that lasts. */
  readonly effect: 'none' | 'idempotent' | 'creates'
  /** What to do when it was sent and its answer never came. */
  readonly ifLost: 'repeat' | 'reconcile' | 'uncertain'
  /** What binds somebody if this is sent; it is sent only under a consent to exactly this. */
  readonly binds?: readonly Effect[]
}

/** The answer to a plan, read within limits. */
export interface PlanAnswer {
  readonly status: number
  readonly url: string
  readonly text: string
  /** SHA-256 of the text, base64url; of an HTML page its visible text. Absent where there is none. */
  readonly textHash?: string
  /** The body as JSON, undefined where it is none. */
  readonly json: unknown
  readonly retryAfterMs?: number
  /** The same request was sent before and nobody read the answer: what this one lacks may have been in it. */
  readonly repeated?: true
}

/** What a person handed over outside the chat, or said to have done there. */
export type PersonInput =
  | { readonly link: string }
  | { readonly email: string }
  /** A key, of the form that keys have, and what goes beside it, by name. */
  | { readonly secret: Secret; readonly beside?: Readonly<Record<string, string | Secret>> }
  /** A code, written as {@link CodeForm} has it. */
  | { readonly code: string }
  /** After `enter-code`: the code has been typed, it is time to look again. */
  | { readonly done: true }
  /** A browser came back to the application with what an authorization server answered. */
  | { readonly callback: Callback }

/** An authorization response (RFC 6749 §4.1.2), as it came in the query of the redirect URI. */
export interface Callback {
  /** All of the query, but the code, in whose place stands `code`. */
  readonly query: string
  readonly code?: Secret
}

/** How keys of a service look, by its documents. */
export interface KeyForm {
  /** Each the beginning of a key, or `32 hex`: so many hexadecimal digits. */
  readonly looks: readonly string[]
  /** Stated in words. Otherwise taken from a sample: what looks different is asked about, and may be right. */
  readonly certain: boolean
}

/** What a code is made of, without what is put between its groups. */
export interface CodeForm {
  /** Its letters and digits, such as `0123456789`. Letters of one case alone are taken in either. */
  readonly alphabet: string
  /** How many of them. */
  readonly length: number
}

/** What happened since the last transition. */
export type MethodEvent =
  | { readonly type: 'answer'; readonly answers: Readonly<Record<string, PlanAnswer | 'lost'>> }
  | { readonly type: 'lost'; readonly name: string }
  | { readonly type: 'model'; readonly answer: string }
  | { readonly type: 'person'; readonly input: PersonInput }
  | { readonly type: 'mail'; readonly messages: readonly MailMessage[] }
  | IdentityEvent
  | WorkEvent
  | { readonly type: 'retry' }
  | { readonly type: 'tick' }

/** What a registration waits for. */
export type Wait =
  | {
      readonly for: 'model'
      readonly problem: string
      readonly form: string
      /** Shape of an acceptable answer. */
      readonly accept: 'number' | 'text'
      readonly notice?: string
    }
  | {
      readonly for: 'person'
      readonly need: PersonNeed
      readonly notice?: string
      /** When to ask the service, whether or not the person has said anything. Epoch milliseconds. */
      readonly look?: number
      /** What will stand before a pasted key in its header: taken off where it was pasted along. */
      readonly prefix?: string
      /** How a pasted key looks. */
      readonly form?: KeyForm
      /** Names of environment variables that may hold the key: for the operator, never for the model. */
      readonly variables?: readonly string[]
      /** What a code is made of that is handed over; anything else is refused before it gets here. */
      readonly code?: CodeForm
      /** Where a browser is to come back, and the `state` that it then brings along (RFC 6749 §10.12). */
      readonly callback?: { readonly redirectUri: string; readonly state: string }
    }
  | {
      readonly for: 'mail'
      readonly to: string
      /** Mail before this time (epoch milliseconds) does not count. */
      readonly since: number
      readonly until: number
      readonly need: PersonNeed
      /** Name of the request whose answer was lost, where the mail would show what became of it. */
      readonly inDoubt?: string
      readonly notice?: string
    }
  | { readonly for: 'time'; readonly at: number; readonly reason: string }
  | {
      /** The outcome `uncertain`; the event `retry` goes on. */
      readonly for: 'retry'
      readonly request: string
      readonly check: string
    }

/** How a credential is put into each request: in its header, unless `basic` or `query` says otherwise. */
export interface Presentation {
  /** The header, in lower case, and what stands before the credential there. */
  readonly header: string
  readonly prefix: string
  /** RFC 7617: it is the password of `user`, or without one the user name, beside an empty password. */
  readonly basic?: { readonly user?: string }
  /** The name of a parameter of the query. */
  readonly query?: string
  /** What each request carries beside it. */
  readonly beside?: readonly Beside[]
}

/** A further value of each request: an id, or another secret by its name. */
export type Beside = { readonly in: 'header' | 'query'; readonly name: string } & (
  | { readonly text: string }
  | { readonly secret: string }
)

/** A credential as a method hands it over. */
export interface IssuedCredential extends Presentation {
  /** Name, in `secrets`, of the credential; absent where the service needs none, which is the kind `none`. */
  readonly secret?: string
  readonly kind: 'api_key' | 'access_token' | 'none'
  /**
   * The endpoint whose answer held it, or the resource that an authorization server issued it for (RFC 8707;
   * of another domain only where the metadata of both name each other): its registrable domain confines the
   * audience.
   */
  readonly issuedBy: string
  /** Where it is to be used, if within that domain. */
  readonly bases: readonly string[]
  /** A harmless request that needs the credential. */
  readonly probe?: string
  /** Where it is ended. */
  readonly revocation?: {
    readonly mode: 'interactive' | 'programmatic'
    readonly url: string
    /** Name, among the secrets of `refresh`, of a refresh token that is ended there before it. */
    readonly refreshToken?: string
  }
  /** The service's own id of it. */
  readonly serviceId?: string
  /** Epoch milliseconds; left out where it is not known: then it is used until it is refused. */
  readonly expires?: number
  /** What lets the next registration at the service go without the model. Plain, no secret. */
  readonly recipe?: Json
  /** Lets the method's `refresh` renew it: the state that begins with, and the secrets that it names. */
  readonly refresh?: { readonly state: Json; readonly secrets: readonly string[] }
  /**
   * It is nobody's yet, and a person can claim it later: the secrets that this takes, which are kept with
   * it, and until when, in epoch milliseconds. The method's `claim` then goes on from the state of this step.
   */
  readonly claim?: { readonly secrets: readonly string[]; readonly until?: number }
  /** The scopes that were asked for, and those that were given. */
  readonly scopes?: { readonly asked: readonly string[]; readonly granted?: readonly string[] }
  /** The OAuth client that it was issued to; `secrets`: those that its requests name. */
  readonly client?: {
    /** How it proves itself where a token is ended (RFC 7009 §2.1). */
    readonly proof: Pick<RequestPlan['request'], 'form' | 'basic'>
    /** What deletes it, where it was registered for this credential alone (RFC 7592 §2.3). */
    readonly deletion?: RequestPlan
    readonly secrets: readonly string[]
  }
}

/** Why a registration ended without a credential. The service's words stand in `errors` alone. */
export interface Failure {
  readonly code: RefusalCode
  readonly reason: string
  readonly errors?: readonly ServiceError[]
  /** HTTP status of the service. */
  readonly httpStatus?: number
}

/** One step of a method. Pure: same state and event, same transition. */
export interface Transition<S> {
  readonly state: S
  /** Ceremony secrets to keep with the registration; null drops one. */
  readonly secrets?: Readonly<Record<string, Secret | null>>
  /** Something may lie at the service that we do not hold. */
  readonly orphan?: Orphan
  /** The service refused before it committed: the consent stays open for another try. */
  readonly refusedBeforeCommit?: boolean
  readonly next:
    | { readonly send: readonly [RequestPlan, ...RequestPlan[]] }
    /** Whom does the application vouch for? An event `identity` answers. */
    | { readonly identify: IdentityWish }
    /**
     * The engine computes it, and an event `work` answers. Nothing is written down before: where the process
     * ends meanwhile, the request before it is taken up again, which has to be one that is repeated.
     */
    | { readonly work: WorkWish }
    | { readonly wait: Wait }
    | { readonly done: IssuedCredential }
    | { readonly failed: Failure }
}

/**
 * One way of getting a credential. A method does no input or output: it says what to send or to wait
 * for, and the engine does it.
 */
export interface Method<
  S extends Json = Json,
  T extends Transition<S> | Promise<Transition<S>> = Transition<S> | Promise<Transition<S>>,
> {
  readonly id: string
  /** What it could do at this service. Recognises a service by what it serves, never by its host. */
  offers(profile: ServiceProfile): readonly Offer[]
  begin(context: MethodContext, offer: Offer): T
  next(context: MethodContext, state: S, event: MethodEvent): T
  /**
   * Begins a person's claim of what it issued with `claim`, of the address in the context where there is one;
   * `next` then goes on as always. `done` takes the place of what was issued, under the same handle; where the
   * secret that it names is not there, the one before serves on. After `failed` all stays as it was, and can be
   * claimed again unless the secrets of the claim were dropped.
   */
  claim?(context: MethodContext, state: S): T
  /**
   * Renews a credential that it issued with `refresh`: at first without an event, then with each answer,
   * until `done`. One request at a time. An answer `invalid_grant` is not shown to it: that ends the
   * credential. `failed` with the code `credential_invalid` ends it too; any other keeps it, to be tried
   * again. What a transition changes is written down before its request is sent.
   */
  refresh?(context: MethodContext, state: Json, event?: MethodEvent): T
}
