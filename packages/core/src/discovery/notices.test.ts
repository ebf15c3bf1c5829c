import { describe, expect, it } from 'vitest'
import { startSites } from '../../test/sites.ts'
import { readDocument } from './markdown/read.ts'
import { notices } from './notices.ts'

const read = (text: string) => readDocument(text, { url: 'https://svc.example/auth.md' }).facts
const methodsIn = (text: string) =>
  read(text).flatMap(({ name, value, denied }) => (name === 'method' && !denied ? [value] : []))

describe('payment and wallets that a document names', () => {
  it.each([
    ['Calls without a key are paid by x402, in USDC.', 'x402'],
    ['```http\nHTTP/1.1 402 Payment Required\nPAYMENT-REQUIRED: eyJ4\n```', 'x402'],
    ['```json\n{ "x402Version": 1, "accepts": [] }\n```', 'x402'],
    ['Pay an L402 invoice over Lightning.', 'l402-payment'],
    ['```http\nWWW-Authenticate: L402 macaroon="m", invoice="i"\n```', 'l402-payment'],
    ['Pay with the Machine Payments Protocol.', 'mpp-payment'],
    ['Send `Authorization: Payment <receipt>`.', 'mpp-payment'],
    ['Sign in with Ethereum (EIP-4361).', 'wallet-signature'],
    ['Sign the message by EIP-191 and send it back.', 'wallet-signature'],
    ['Authenticate by an EIP-712 signature over the challenge.', 'wallet-signature'],
    ['Sign the challenge string with your Solana wallet.', 'wallet-signature'],
    ['The login takes a wallet signature.', 'wallet-signature'],
    ['```js\nawait wallet.signMessage(challenge)\n```', 'wallet-signature'],
  ])('%j', (text, method) => {
    expect(methodsIn(text)).toContain(method)
  })

  it.each([
    'x402 is not supported.',
    'There is no L402 and no wallet signature.',
    'We do not accept Machine Payments Protocol receipts.',
    'The transfer is authorised by an EIP-712 signature of the payer.',
    'Students who pass the LSAT get a discount, and `402` means that the plan is used up.',
  ])('not in %j', (text) => {
    expect(notices(read(text))).toEqual([])
  })

  it('says one plain sentence of each', () => {
    expect(notices(read('Calls are paid by x402 or L402. Or sign in with your wallet.'))).toEqual([
      "The document says that calls are paid by x402 or L402: nothing is spent unless the application's hook pays.",
      expect.stringMatching(
        /^The document says that one signs in with a wallet: .*nothing is signed/,
      ),
    ])
  })

  it('reaches the profile before what was odd', async () => {
    const text = `# auth.md\n\nFor agents.\n\nCalls are paid by x402.\n\nSend \`Authorization: Bearer <key>\`.\n\n<!-- hidden -->\n`
    const { discover } = await startSites({ 'svc.localhost/auth.md': text })
    const { warnings, facts } = await discover('svc.localhost/')
    expect(warnings[0]).toContain('paid by x402')
    expect(warnings.length).toBeGreaterThan(1)
    expect(facts).toContainEqual(expect.objectContaining({ name: 'method', value: 'x402' }))
  })
})
