import { z } from 'zod'
import { parseChallenges } from '../discovery/challenge.ts'
import { fromBase64Url } from '../encoding.ts'
import { parseJson } from '../net/json.ts'

/** What a service wants to be paid before it answers, in its own words: units are those of the protocol. */
export interface PaymentTerms {
  /** `x402`, `l402`, `payment` (the scheme of the Machine Payments Protocol), or another scheme of a challenge. */
  readonly protocol: string
  readonly amount?: string
  /** A currency, or the address of an asset. */
  readonly currency?: string
  readonly network?: string
  /** An address, an account, or a Lightning invoice. */
  readonly payTo?: string
  readonly description?: string
}

/** The parts of a 402 that say what is to be paid. */
export interface PaymentDemand {
  /** `WWW-Authenticate`, as it came. */
  readonly challenge: string
  /** `PAYMENT-REQUIRED` of x402, as it came. */
  readonly required: string
  readonly body: string
}

const maxTerms = 5
const maxText = 1_000
/** Schemes that ask for a credential and not for money. */
const ordinary = ['basic', 'bearer', 'digest', 'dpop', 'negotiate']

/** What a 402 asks for: x402 in both versions, L402, the scheme `Payment`, and challenges like them. Never throws. */
export function paymentTerms({
  challenge,
  required,
  body,
}: PaymentDemand): readonly PaymentTerms[] {
  const found = [
    ...x402(() => parseJson(decoded(required))),
    ...parseChallenges(challenge).flatMap(({ scheme, params }) =>
      challenged(scheme, new Map(params)),
    ),
  ]
  // The body of the first version; the second says all in its header.
  const all = found.some(({ protocol }) => protocol === 'x402')
    ? found
    : [...found, ...x402(() => parseJson(body))]
  return all.slice(0, maxTerms)
}

const text = z
  .union([z.string(), z.number()])
  .transform((value) => String(value).slice(0, maxText))
  .optional()
  .catch(undefined)
const accepted = z.object({
  amount: text,
  maxAmountRequired: text,
  asset: text,
  network: text,
  payTo: text,
  description: text,
  extra: z.object({ name: text }).optional().catch(undefined),
})
const requirements = z.object({
  x402Version: z.union([z.number(), z.string()]),
  accepts: z.array(z.unknown()),
  resource: z.object({ description: text }).optional().catch(undefined),
})

function x402(read: () => unknown): PaymentTerms[] {
  const said = requirements.safeParse(quietly(read)).data
  return (said?.accepts ?? []).flatMap((item) => {
    const one = accepted.safeParse(item).data
    if (one === undefined) return []
    const currency = one.extra?.name && one.asset ? `${one.extra.name} (${one.asset})` : one.asset
    return [
      terms('x402', {
        amount: one.amount ?? one.maxAmountRequired,
        currency,
        network: one.network,
        payTo: one.payTo,
        description: one.description ?? said?.resource?.description,
      }),
    ]
  })
}

const charge = z.object({ amount: text, currency: text, recipient: text, network: text })

function challenged(scheme: string, params: ReadonlyMap<string, string>): PaymentTerms[] {
  const name = scheme.toLowerCase()
  if (ordinary.includes(name)) return []
  const invoice = params.get('invoice')
  if ((name === 'l402' || name === 'lsat') && invoice !== undefined) {
    return [terms('l402', { ...lightning(invoice), payTo: invoice })]
  }
  if (name === 'payment') {
    const request = quietly(() => parseJson(decoded(params.get('request') ?? '')))
    const one = charge.safeParse(request).data
    return [
      terms('payment', {
        amount: one?.amount,
        currency: one?.currency,
        network: one?.network ?? params.get('method'),
        payTo: one?.recipient,
        description: params.get('description'),
      }),
    ]
  }
  const [amount, payTo] = [params.get('amount'), params.get('address')]
  return amount === undefined && payTo === undefined ? [] : [terms(name, { amount, payTo })]
}

/** BOLT 11: the amount and the network stand readable at the beginning of an invoice. */
function lightning(invoice: string): { amount?: string; currency?: string; network?: string } {
  const [, chain, amount, unit = ''] =
    /^ln(bcrt|bc|tbs|tb)(?:(\d+)([munp])?)?1/i.exec(invoice) ?? []
  if (chain === undefined) return {}
  const network = chain.toLowerCase() === 'bc' ? 'lightning' : `lightning, test network ${chain}`
  return amount === undefined
    ? { network }
    : { network, amount: `${amount}${unit}`, currency: 'BTC' }
}

function terms(
  protocol: string,
  said: { readonly [K in Exclude<keyof PaymentTerms, 'protocol'>]?: string | undefined },
): PaymentTerms {
  const known = Object.entries(said).filter(([, value]) => value)
  const short = known.map(([name, value]) => [name, value?.slice(0, maxText)])
  return { protocol: protocol.slice(0, 40), ...Object.fromEntries(short) }
}

function decoded(base64: string): string {
  return new TextDecoder().decode(fromBase64Url(base64))
}

function quietly(read: () => unknown): unknown {
  try {
    return read()
  } catch {
    return undefined
  }
}
