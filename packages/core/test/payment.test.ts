import { describe, expect, it } from 'vitest'
import { renderOutcome } from '../src/tools/render.ts'
import type { PaymentRequest } from '../src/use/paid.ts'
import { agreed, canary, hold } from './held.ts'

const invoice = 'lnbc1500n1pw5kjhmpp'
const proof = 'made-up-macaroon:made-up-preimage'

/** Wants a payment until it sees its proof; sends the key back wherever it can. */
const paywall: Parameters<typeof hold>[0] = (request, response) => {
  if (request.headers['x-proof'] === proof) {
    return void response.end(`{"paid":true,"said":"${request.headers['x-proof']}"}`)
  }
  const macaroon = String(request.headers.authorization).slice(7)
  response.writeHead(402, {
    'www-authenticate': `L402 macaroon="${macaroon}", invoice="${invoice}"`,
  })
  response.end(
    JSON.stringify({ x402Version: 1, accepts: [{ maxAmountRequired: '5', payTo: macaroon }] }),
  )
}

describe('a service that wants to be paid', () => {
  it('is reported with what it asks for, and nothing is spent', async () => {
    const { session, service } = await hold(paywall)
    const outcome = await session.use({ service: service.origin, path: '/x' })
    expect(outcome).toMatchObject({
      status: 'refused',
      code: 'payment_required',
      httpStatus: 402,
      reason: expect.stringContaining('Nothing was spent'),
      payment: [
        { protocol: 'l402', amount: '1500n', currency: 'BTC', payTo: invoice },
        { protocol: 'x402', amount: '5' },
      ],
    })
    expect(service.seen).toHaveLength(1)
    expect(JSON.stringify(outcome)).not.toContain(canary)
    expect(renderOutcome(outcome)).toMatch(/asks for a payment by l402: ".*amount 1500n.*"/)
  })

  it('may be paid by the application, which proves it once, for that one request', async () => {
    const asked: PaymentRequest[] = []
    const onPaymentRequired = (request: PaymentRequest) => {
      asked.push(request)
      return { 'x-proof': proof }
    }
    const { auth, session, service, handle } = await hold(paywall, {}, { onPaymentRequired })
    const post = () =>
      session.use({ service: service.origin, method: 'POST', path: '/x', json: { a: 1 } })
    const outcome = await agreed(auth, post)
    expect(outcome).toMatchObject({ status: 'answered', credential: handle })
    expect(JSON.stringify(outcome)).not.toContain(proof)
    expect(asked).toMatchObject([{ method: 'POST', url: `${service.origin}/x` }])
    expect(asked[0]?.terms[0]).toMatchObject({ protocol: 'l402', payTo: invoice })
    const [first, second] = service.seen
    expect(service.seen).toHaveLength(2)
    expect([first?.body, second?.body]).toEqual(['{"a":1}', '{"a":1}'])
    expect(first?.headers).not.toHaveProperty('x-proof')
    expect(second?.headers.authorization).toBe(`Bearer ${canary}`)
    await session.use({ service: service.origin, path: '/y' })
    expect(service.seen[2]?.headers).not.toHaveProperty('x-proof')
  })

  it('that is not content with the proof is not paid twice', async () => {
    let asked = 0
    const { session, service } = await hold(
      paywall,
      {},
      {
        onPaymentRequired: () => {
          asked++
          return { 'x-proof': 'made-up-wrong-proof' }
        },
      },
    )
    const outcome = await session.use({ service: service.origin, path: '/x' })
    expect(outcome).toMatchObject({ code: 'payment_required', payment: [{ protocol: 'l402' }, {}] })
    expect([asked, service.seen.length]).toEqual([1, 2])
  })

  it('is not paid where the application does not want to', async () => {
    const { session, service } = await hold(paywall, {}, { onPaymentRequired: () => undefined })
    expect(await session.use({ service: service.origin, path: '/x' })).toMatchObject({
      code: 'payment_required',
    })
    expect(service.seen).toHaveLength(1)
  })
})
