import { request } from 'node:http'
import { personAtPortal } from '@authmd/sandbox'
import { onTestFinished } from 'vitest'
import { type IntakeServer, serveIntake } from '../src/node/intake-server.ts'
import type { Session } from '../src/session.ts'
import { expectStatus, openWorld, type World } from './world.ts'

export interface IntakeWorld extends World {
  readonly intake: IntakeServer
  readonly registration: string
}

/** A sandbox at whose Telnyx a key is waited for, and the intake page on loopback. */
export async function openIntake(...options: Parameters<typeof openWorld>): Promise<IntakeWorld> {
  const world = await openWorld(...options)
  const registration = await waitingForKey(world.session, world.sandbox.urls.api)
  const intake = await serveIntake(world.auth, { name: 'Acme Operations' })
  onTestFinished(intake.close)
  return { ...world, intake, registration }
}

export async function waitingForKey(session: Session, service: string): Promise<string> {
  const asked = await session.register({ service, method: 'manual' })
  return expectStatus(asked, 'needs_person').registration ?? ''
}

/** A key as a person makes it in the portal. */
export async function makeKey({ sandbox }: Pick<World, 'sandbox'>): Promise<string> {
  return (await personAtPortal(sandbox, 'kim@operator.test').makeKey()).api_key
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/**
 * A request with exactly these headers, as no browser would send it; redirects are not followed, and
 * where lines may break is left out.
 */
export function ask(
  url: string,
  init: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = init
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, async (answer) => {
      const chunks: Buffer[] = []
      for await (const chunk of answer) chunks.push(chunk as Buffer)
      const pairs = Object.entries(answer.headers).map(([name, value]) => [name, String(value)])
      resolve({
        status: answer.statusCode ?? 0,
        headers: new Headers(Object.fromEntries(pairs)),
        text: Buffer.concat(chunks).toString().replaceAll('<wbr>', ''),
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** A browser as far as the intake page needs one: it opens the link and keeps the cookie. */
export async function visit(link: string): Promise<{
  readonly page: Answer
  /** Where the page is, without the secret. */
  readonly at: string
  readonly cookie: string
  /** The hidden field of the form. */
  readonly token: string
  /** Sends the form; what is given here replaces the browser's own. */
  submit(
    given: string,
    change?: { headers?: Record<string, string>; fields?: Record<string, string>; body?: string },
  ): Promise<Answer>
}> {
  const entered = await ask(link)
  const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? ''
  const { origin } = new URL(link)
  const at = new URL(entered.headers.get('location') ?? '/', link).href
  const page = await ask(at, { headers: { cookie } })
  const token = /name="form" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
  return {
    page,
    at,
    cookie,
    token,
    submit: (given, { headers = {}, fields = {}, body } = {}) =>
      ask(`${at}/hand-over`, {
        method: 'POST',
        headers: {
          cookie,
          origin,
          'sec-fetch-site': 'same-origin',
          'content-type': 'application/x-www-form-urlencoded',
          ...headers,
        },
        body: body ?? new URLSearchParams({ form: token, given, ...fields }).toString(),
      }),
  }
}
