import { expect, it } from 'vitest'
import { type PaymentDemand, paymentTerms } from './payment.ts'

const none: PaymentDemand = { challenge: '', required: '', body: '' }
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64')
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

const accepts = {
  scheme: 'exact',
  network: 'eip155:84532',
  amount: '10000',
  asset: '0xa55e7',
  payTo: '0xpayee',
  maxTimeoutSeconds: 60,
  extra: { name: 'USDC', version: '2' },
}
const first = {
  scheme: 'exact',
  network: 'base-sepolia',
  maxAmountRequired: '1000',
  resource: 'https://svc.test/x',
  description: 'A report',
  payTo: '0xpayee',
  asset: '0xa55e7',
}

it.each<[string, Partial<PaymentDemand>, unknown[]]>([
  [
    'x402, second version',
    {
      required: base64({ x402Version: 2, resource: { description: 'Data' }, accepts: [accepts] }),
      body: '{}',
    },
    [
      {
        protocol: 'x402',
        amount: '10000',
        currency: 'USDC (0xa55e7)',
        network: 'eip155:84532',
        payTo: '0xpayee',
        description: 'Data',
      },
    ],
  ],
  [
    'x402, first version',
    {
      body: JSON.stringify({
        x402Version: 1,
        error: 'X-PAYMENT header is required',
        accepts: [first],
      }),
    },
    [
      {
        protocol: 'x402',
        amount: '1000',
        currency: '0xa55e7',
        network: 'base-sepolia',
        payTo: '0xpayee',
        description: 'A report',
      },
    ],
  ],
  [
    'L402',
    {
      challenge:
        'L402 version="0", token="AGIAJE==", macaroon="AGIAJE==", invoice="lnbc1500n1pw5kjhmpp"',
    },
    [
      {
        protocol: 'l402',
        amount: '1500n',
        currency: 'BTC',
        network: 'lightning',
        payTo: 'lnbc1500n1pw5kjhmpp',
      },
    ],
  ],
  [
    'its older name, on a test network, for any amount',
    { challenge: 'LSAT macaroon="AGIAJE==", invoice="lntb1pw5kjhmpp"' },
    [{ protocol: 'l402', network: 'lightning, test network tb', payTo: 'lntb1pw5kjhmpp' }],
  ],
  [
    'the scheme Payment, beside Bearer',
    {
      challenge: `Bearer realm="x", Payment id="x7", realm="svc.test", method="tempo", intent="charge", request="${base64url({ amount: '1000', currency: 'USD', recipient: 'acct_123' })}"`,
    },
    [{ protocol: 'payment', amount: '1000', currency: 'USD', network: 'tempo', payTo: 'acct_123' }],
  ],
  [
    'a scheme like them',
    { challenge: 'XMR402 address="8abc", amount="1000", message="n", timestamp="1"' },
    [{ protocol: 'xmr402', amount: '1000', payTo: '8abc' }],
  ],
  [
    'nothing that is known',
    { challenge: 'Bearer realm="x", amount="1"', body: '{"error":"pay"}' },
    [],
  ],
  [
    'rubbish',
    { required: '%%%', challenge: 'Payment request="%%"', body: '<html>' },
    [{ protocol: 'payment' }],
  ],
  [
    'wrong types',
    { body: '{"x402Version":1,"accepts":[7,{"payTo":{}},null]}' },
    [{ protocol: 'x402' }],
  ],
])('%s', (_what, demand, expected) => {
  expect(paymentTerms({ ...none, ...demand })).toEqual(expected)
})
