import type { Fact } from './profile.ts'

/** Ways to pay, by the value of their fact, as their fields call them. */
const payments: Readonly<Record<string, string>> = {
  x402: 'x402',
  'l402-payment': 'L402',
  'mpp-payment': 'the scheme `Payment` (MPP)',
}

/**
 * What a document asks for that this package recognises and never does by itself: one sentence each, of ours.
 * No offer comes of them.
 */
export function notices(facts: readonly Fact[]): string[] {
  const said = (name: Fact['name']) =>
    facts.filter((fact) => fact.name === name && !fact.denied).map(({ value }) => value)
  const methods = new Set(said('method'))
  const paid = Object.entries(payments).flatMap(([method, name]) => {
    return methods.has(method) ? [name] : []
  })
  const wallet =
    methods.has('wallet-signature') || said('identity_type').some((type) => /wallet/i.test(type))
  return [
    ...(paid.length > 0
      ? [
          `The document says that calls are paid by ${paid.join(' or ')}: nothing is spent unless the application's hook pays.`,
        ]
      : []),
    ...(wallet
      ? [
          'The document says that one signs in with a wallet: no wallet is held and nothing is signed here; a credential got that way elsewhere can be handed over.',
        ]
      : []),
  ]
}
