import { randomUUID } from 'node:crypto'
import type { Hono } from 'hono'
import type { SandboxEnv } from '../server.ts'
import type { Guard } from './api-auth.ts'
import { apiError, jsonBody } from './api-error.ts'
import { accountOf, issueKey, keyAtCreation, type Telnyx } from './state.ts'

interface NumberForSale {
  phone_number: string
  code: string
  locality: string
}

// 555-01xx is set aside for fiction in every area code.
const forSale: readonly NumberForSale[] = [
  { code: '312', locality: 'CHICAGO', count: 12 },
  { code: '773', locality: 'CHICAGO', count: 8 },
  { code: '212', locality: 'NEW YORK', count: 6 },
  { code: '206', locality: 'SEATTLE', count: 4 },
].flatMap(({ code, locality, count }) =>
  Array.from({ length: count }, (_, i) => ({
    phone_number: `+1${code}5550${100 + i}`,
    code,
    locality,
  })),
)
const priceCents = 100

/** What an API key is for. */
export function productRoutes(app: Hono<SandboxEnv>, telnyx: Telnyx, guard: Guard): void {
  const { server } = telnyx
  const { clock } = server
  const taken = new Set<string>()

  app.post(
    '/v2/api_keys',
    server.endpoint(
      'api_keys',
      guard(
        (c, credential) => {
          const body = jsonBody(c)
          if (!body) return apiError(c, 'invalid', 'The body is not a JSON object.')
          const { name } = body
          if (name !== undefined && typeof name !== 'string') {
            return apiError(c, 'invalid', 'name is not a string.')
          }
          const wish = name === undefined ? {} : { name }
          const key = issueKey(telnyx, credential.account, c.env.entry.n, wish)
          c.env.entry.effect = true
          return c.json({ data: keyAtCreation(key) })
        },
        { kinds: ['session', 'api_key'], scope: 'full' },
      ),
    ),
  )

  app.get(
    '/v2/available_phone_numbers',
    server.endpoint(
      'available_phone_numbers',
      guard((c) => {
        const code = c.req.query('filter[national_destination_code]')
        const locality = c.req.query('filter[locality]')?.toUpperCase()
        const limit = Number(c.req.query('page[size]') ?? c.req.query('filter[limit]') ?? 100)
        if (!Number.isInteger(limit) || limit < 1) {
          return apiError(c, 'invalid', 'page[size] is a whole number from 1.')
        }
        const found = forSale.filter(
          (number) =>
            !taken.has(number.phone_number) &&
            (code === undefined || number.code === code) &&
            (locality === undefined || number.locality === locality),
        )
        const data = found.slice(0, limit).map(listed)
        const meta = { total_results: found.length, best_effort_results: 0 }
        return c.json({ data, meta })
      }),
    ),
  )

  app.get(
    '/v2/balance',
    server.endpoint(
      'balance',
      guard((c, key) => {
        const balance = (accountOf(telnyx, key).balanceCents / 100).toFixed(2)
        return c.json({
          data: {
            record_type: 'balance',
            balance,
            available_credit: balance,
            credit_limit: '0.00',
            pending: '0.00',
            currency: 'USD',
          },
        })
      }),
    ),
  )

  app.post(
    '/v2/number_orders',
    server.endpoint(
      'number_orders',
      guard(
        (c, key) => {
          const wanted = phoneNumbers(jsonBody(c)?.phone_numbers)
          if (!wanted) return apiError(c, 'invalid', 'phone_numbers is not a list of numbers.')
          const free = (wish: string) =>
            !taken.has(wish) && forSale.some(({ phone_number }) => phone_number === wish)
          const gone = wanted.find((number) => !free(number))
          if (gone !== undefined) return apiError(c, 'notFound', `${gone} is not for sale.`)
          const account = accountOf(telnyx, key)
          if (account.balanceCents < wanted.length * priceCents) {
            return apiError(c, 'forbidden', 'The balance does not cover this order.')
          }
          account.balanceCents -= wanted.length * priceCents
          for (const number of wanted) {
            taken.add(number)
            account.numbers.add(number)
          }
          c.env.entry.effect = true
          return c.json({
            data: {
              record_type: 'number_order',
              id: randomUUID(),
              status: 'success',
              phone_numbers_count: wanted.length,
              phone_numbers: wanted.map((phone_number) => ({
                record_type: 'number_order_phone_number',
                id: randomUUID(),
                phone_number,
                status: 'success',
              })),
              created_at: new Date(clock.now()).toISOString(),
            },
          })
        },
        { scope: 'full' },
      ),
    ),
  )

  app.post(
    '/v2/messages',
    server.endpoint(
      'messages',
      guard(
        (c) => {
          const { from, to, text } = jsonBody(c) ?? {}
          if (typeof from !== 'string' || typeof to !== 'string' || typeof text !== 'string') {
            return apiError(c, 'invalid', 'from, to and text are needed.')
          }
          c.env.entry.effect = true
          return c.json({
            data: {
              record_type: 'message',
              id: randomUUID(),
              direction: 'outbound',
              type: 'SMS',
              from: { phone_number: from },
              to: [{ phone_number: to, status: 'queued' }],
              text,
              parts: Math.ceil(text.length / 160) || 1,
              received_at: new Date(clock.now()).toISOString(),
            },
          })
        },
        { scope: 'full' },
      ),
    ),
  )
}

function listed({ phone_number, code, locality }: NumberForSale) {
  return {
    record_type: 'available_phone_number',
    phone_number,
    region_information: [
      { region_type: 'country_code', region_name: 'US' },
      { region_type: 'rate_center', region_name: locality },
    ],
    national_destination_code: code,
    cost_information: { upfront_cost: '1.00', monthly_cost: '1.00', currency: 'USD' },
    features: [{ name: 'sms' }, { name: 'voice' }],
  }
}

function phoneNumbers(value: unknown): string[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined
  const numbers = value.map((item: { phone_number?: unknown } | null) => item?.phone_number)
  return numbers.every((number) => typeof number === 'string') ? [...new Set(numbers)] : undefined
}
