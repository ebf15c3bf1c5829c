import { randomBytes } from 'node:crypto'
import type { Hono } from 'hono'
import { RateLimit } from '../rate-limit.ts'
import type { SandboxContext, SandboxEnv } from '../server.ts'
import { apiError, jsonBody } from './api-error.ts'
import { sendSignInLink } from './sign-in-mail.ts'
import { openAccount, type Telnyx } from './state.ts'

const hour = 3_600_000
const resendPauseMs = 60_000
const maxResends = 3

/** The three public requests of agent signup. */
export function signupRoutes(app: Hono<SandboxEnv>, telnyx: Telnyx): void {
  const { server, options, terms, challenges, works } = telnyx
  const { clock } = server
  const perIp = new RateLimit(clock, options.limits?.signupsPerIp ?? 1000, hour)
  const perDomain = new RateLimit(clock, options.limits?.signupsPerDomain ?? 1000, hour)
  const refused = options.refusedMailDomains ?? ['refused-mail.test']

  const agreements = {
    terms_and_conditions_url: terms.terms,
    privacy_policy_url: terms.privacy,
    ...(options.euTerms ? { terms_and_conditions_eu_url: terms.eu } : {}),
  }
  const { proofOfWork } = options
  if (proofOfWork) {
    app.post(
      '/v2/pow_signup_challenge',
      server.endpoint('pow_signup_challenge', (c) => {
        if (!jsonBody(c)) return apiError(c, 'invalid', 'The body is not a JSON object.')
        const { text, bits } = works.create(proofOfWork.leadingZeroBits ?? 8)
        return c.json({
          data: { nonce: text, algorithm: 'sha256', leading_zero_bits: bits, ...agreements },
        })
      }),
    )
  }

  if (!proofOfWork)
    app.post(
      '/v2/bot_challenge',
      server.endpoint('bot_challenge', (c) => {
        if (!jsonBody(c)) return apiError(c, 'invalid', 'The body is not a JSON object.')
        const { nonce, type, problem, precision } = challenges.create()
        const older = options.challenge?.older === true
        return c.json({
          data: {
            nonce,
            ...(older ? {} : { challenge_type: type }),
            problem,
            ...(older || precision === undefined ? {} : { precision }),
            ...agreements,
          },
        })
      }),
    )

  app.post(
    '/v2/bot_signup',
    server.endpoint('bot_signup', (c) => {
      const wait = perIp.take(c.env.incoming.socket.remoteAddress ?? '')
      if (wait !== undefined) return limited(c, wait)
      const wish = readSignup(c, telnyx)
      if (typeof wish === 'string') return apiError(c, 'invalid', wish)
      // From here on the nonce is spent, whatever the outcome.
      const passed = proofOfWork
        ? works.redeem(wish.nonce, wish.answer)
        : challenges.redeem(wish.nonce, wish.answer)
      if (!passed) {
        return apiError(c, 'challenge', 'The answer is wrong or the nonce is not good any more.')
      }
      const email = wish.email ?? `agent-${randomBytes(6).toString('hex')}@placeholder.telnyx.test`
      const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase()
      if (refused.includes(domain)) {
        return apiError(c, 'mailProvider', `Addresses at ${domain} cannot be used to sign up.`)
      }
      const later = perDomain.take(domain)
      if (later !== undefined) return limited(c, later)

      const account = openAccount(telnyx, email, wish.email === undefined)
      account.resends = { count: 0, lastAt: Number.NEGATIVE_INFINITY }
      sendSignInLink(telnyx, account, c.env.entry)
      return c.json({ success: true, message: 'A sign-in link is on its way to your mailbox.' })
    }),
  )

  app.post(
    '/v2/bot_signup/resend_magic_link',
    server.endpoint('resend_magic_link', (c) => {
      const email = jsonBody(c)?.email
      const account = typeof email === 'string' && telnyx.accounts.get(email.trim().toLowerCase())
      if (account) {
        const { count, lastAt } = account.resends
        if (count < maxResends && clock.now() - lastAt >= resendPauseMs) {
          account.resends = { count: count + 1, lastAt: clock.now() }
          sendSignInLink(telnyx, account, c.env.entry)
        }
      }
      // The same answer for everyone, so that nobody learns which addresses have an account.
      return c.json({ success: true, message: 'If a sign-up is waiting, a new link was sent.' })
    }),
  )
}

interface Signup {
  nonce: string
  answer: string
  email: string | undefined
}

/** The sign-up that a request asks for, or what is wrong with it. */
function readSignup(c: SandboxContext, { options, terms }: Telnyx): Signup | string {
  const body = jsonBody(c)
  if (!body) return 'The body is not a JSON object.'
  const [nonceField, answerField] = options.proofOfWork
    ? (['pow_nonce', 'pow_solution'] as const)
    : (['bot_challenge_nonce', 'bot_challenge_answer'] as const)
  const { [nonceField]: nonce, [answerField]: answer, email } = body
  if (typeof nonce !== 'string' || nonce === '') return `${nonceField} is missing.`
  if (typeof answer !== 'string' && typeof answer !== 'number') return `${answerField} is missing.`
  if (options.proofOfWork && !/^\d+$/.test(String(answer))) return `${answerField} is no integer.`
  if (body.terms_of_service !== true) return 'terms_of_service must be true.'
  if (body.terms_and_conditions_url !== terms.terms) {
    return 'terms_and_conditions_url is not the one that the challenge gave.'
  }
  if (body.privacy_policy_url !== terms.privacy) {
    return 'privacy_policy_url is not the one that the challenge gave.'
  }
  if (options.euTerms) {
    if (body.terms_of_service_eu !== true) return 'terms_of_service_eu must be true.'
    if (body.terms_and_conditions_eu_url !== terms.eu) {
      return 'terms_and_conditions_eu_url is not the one that the challenge gave.'
    }
  }
  const without = email === undefined || email === null
  if (without && !options.placeholderEmail) return 'email is missing.'
  if (!without && !(typeof email === 'string' && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email))) {
    return 'email is not an address.'
  }
  return { nonce, answer: String(answer), email: without ? undefined : String(email) }
}

function limited(c: SandboxContext, seconds: number): Response {
  return apiError(c, 'limited', 'Too many sign-ups.', { 'retry-after': String(seconds) })
}
