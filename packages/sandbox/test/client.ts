import type { LookupFunction } from 'node:net'
import { Agent, type RequestInit, type Response, fetch as undiciFetch } from 'undici'
import type { Sandbox } from '../src/index.ts'
import { signInLink } from '../src/index.ts'

/** `*.localhost` is not known to every resolver, so name it ourselves. */
const lookup: LookupFunction = (_hostname, options, callback) => {
  if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }])
  else callback(null, '127.0.0.1', 4)
}
const dispatcher = new Agent({ connect: { lookup } })

export function fetch(url: string, init: RequestInit = {}): Promise<Response> {
  return undiciFetch(url, { dispatcher, redirect: 'manual', ...init })
}

/** What an answer is worth to a test: its status, headers and body, parsed where it is JSON. */
export interface Got {
  status: number
  headers: Response['headers']
  text: string
  json: unknown
  /** A string inside the JSON, found by its dotted path. */
  at(path: string): string
}

interface Sent {
  json?: unknown
  token?: string
  headers?: Record<string, string>
}

export async function send(method: string, url: string, sent: Sent = {}): Promise<Got> {
  const { json: body, token, headers } = sent
  const response = await fetch(url, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return read(response)
}

export async function read(response: Response): Promise<Got> {
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json')
  const json: unknown = isJson && text !== '' ? JSON.parse(text) : undefined
  return {
    status: response.status,
    headers: response.headers,
    text,
    json,
    at(path) {
      let value = json
      for (const step of path.split('.')) value = (value as Record<string, unknown>)?.[step]
      if (typeof value !== 'string') throw new Error(`no ${path} in ${response.status} ${text}`)
      return value
    },
  }
}

/** The body of a sign-up that will be accepted, with a fresh challenge that is solved. */
export async function signupBody(
  { urls, answerTo }: Pick<Sandbox, 'urls' | 'answerTo'>,
  email: string,
): Promise<Record<string, unknown>> {
  const challenge = await send('POST', `${urls.api}/v2/bot_challenge`)
  const nonce = challenge.at('data.nonce')
  return {
    bot_challenge_nonce: nonce,
    bot_challenge_answer: answerTo(nonce),
    terms_and_conditions_url: challenge.at('data.terms_and_conditions_url'),
    privacy_policy_url: challenge.at('data.privacy_policy_url'),
    terms_of_service: true,
    email,
  }
}

/** Signs up and returns the link that the mail holds. */
export async function signUp(sandbox: Sandbox, email: string): Promise<string> {
  const json = await signupBody(sandbox, email)
  const { status, text } = await send('POST', `${sandbox.urls.api}/v2/bot_signup`, { json })
  if (status !== 200) throw new Error(text)
  return signInLink(await sandbox.mail.waitFor(email))
}

/** The whole way to an API key. */
export async function obtainKey(sandbox: Sandbox, email = 'ada@agents.example'): Promise<string> {
  const session = await send('GET', await signUp(sandbox, email))
  const token = session.at('data.api_v2_token')
  const made = await send('POST', `${sandbox.urls.api}/v2/api_keys`, { json: {}, token })
  return made.at('data.api_key')
}
