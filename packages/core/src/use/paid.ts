import type { NetOptions } from '../net/transport.ts'
import type { Owner } from '../owner.ts'
import type { Credential } from '../vault/credentials.ts'
import { Secret } from '../vault/secret.ts'
import { type CleanAnswer, cleanAnswer } from './answer.ts'
import { type PaymentDemand, type PaymentTerms, paymentTerms } from './payment.ts'
import { canRedact, createRedactor, type Redactor } from './redactor.ts'
import type { PreparedUse } from './request.ts'
import { sendSigned } from './signer.ts'

/** Characters of a header that says what is to be paid. */
const maxDemand = 16_384
const readMs = 30_000

/** A payment that a service asks for before it answers a request. */
export interface PaymentRequest {
  readonly owner: Owner
  readonly service: string
  readonly method: string
  readonly url: string
  readonly terms: readonly PaymentTerms[]
  /** As the service sent it: what a wallet needs. */
  readonly demand: PaymentDemand
}

/** The application's answer: the headers that prove the payment, or undefined where it does not pay. */
export type PaymentHook = (
  request: PaymentRequest,
) => PaymentProof | undefined | Promise<PaymentProof | undefined>

/** Headers of the one request that is paid for, such as `PAYMENT-SIGNATURE`, `X-PAYMENT`, `Authorization`. */
export type PaymentProof = Readonly<Record<string, string>>

/** An answer that was read, and what it asks to be paid. */
export interface ReadAnswer {
  readonly clean: CleanAnswer
  readonly payment: readonly PaymentTerms[]
}

/**
 * Reads an answer. Where the service wants to be paid and the application proves that it was, the same request
 * goes once more, with the proof; the service did nothing yet, so that it is still under its consent.
 */
export async function readOrPay(
  parts: { readonly net: NetOptions; readonly onPaymentRequired?: PaymentHook | undefined },
  credential: Credential,
  { method, url }: PreparedUse,
  response: Response,
  redactor: Redactor,
  request: () => Request,
): Promise<ReadAnswer> {
  const clean = await cleanAnswer(response, redactor, AbortSignal.timeout(readMs))
  if (response.status !== 402) return { clean, payment: [] }
  const demand = { ...demandOf(response), body: clean.text }
  const { owner, service } = credential
  const terms = paymentTerms(demand)
  const asked = { owner, service, method, url: url.href, terms, demand }
  const proof = await parts.onPaymentRequired?.(asked)
  if (proof === undefined) return { clean, payment: termsOf(demand, redactor) }
  const paid = await sendSigned(parts.net, credential, request(), false, proof, {
    name: 'use',
    sent: 1,
  })
  const again = await cleanAnswer(paid, redactor, AbortSignal.timeout(readMs))
  const secrets = Object.values(proof).map((value) => new Secret(value))
  const proving = createRedactor(secrets.filter(canRedact))
  const last = { ...again, text: proving.redact(again.text).text }
  const left = { ...demandOf(paid), body: last.text }
  return { clean: last, payment: paid.status === 402 ? termsOf(left, redactor) : [] }
}

function demandOf({ headers }: Response): Omit<PaymentDemand, 'body'> {
  const [challenge, required] = ['www-authenticate', 'payment-required'].map((name) => {
    return headers.get(name)?.slice(0, maxDemand) ?? ''
  })
  return { challenge: challenge ?? '', required: required ?? '' }
}

/** Terms may quote what was sent. */
function termsOf(demand: PaymentDemand, redactor: Redactor): readonly PaymentTerms[] {
  return paymentTerms(demand).map((one) => {
    const clean = Object.entries(one).map(([name, value]) => [name, redactor.redact(value).text])
    return Object.fromEntries(clean) as PaymentTerms
  })
}
