import type { SandboxUrls } from '@authmd/sandbox'
import type { Move, Seen } from '../../apps/demo/src/script.ts'

/**
 * An agent with nothing but a tool that fetches: it reads the service's auth.md and the page on signing up,
 * and does what they say without a wasted step. Its key is in its context, as it has nowhere else.
 */
export function naiveScript(
  { developers, site, api, mail }: SandboxUrls,
  email: string,
  solve: (problem: string) => string,
): (seen: Seen) => Move {
  const get = (url: string, headers?: Readonly<Record<string, string>>): Move => ({
    tool: 'fetch',
    input: { url, ...(headers && { headers }) },
  })
  const post = (
    url: string,
    body: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Move => ({
    tool: 'fetch',
    input: {
      url,
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    },
  })
  const moves: ((last: string) => Move)[] = [
    () => get(`${developers}/auth.md`),
    () => get(`${site}/agent-signup.md`),
    () => post(`${api}/v2/bot_challenge`, {}),
    (last) => {
      const { data } = JSON.parse(last)
      return post(`${api}/v2/bot_signup`, {
        bot_challenge_nonce: data.nonce,
        bot_challenge_answer: solve(data.problem),
        terms_and_conditions_url: data.terms_and_conditions_url,
        privacy_policy_url: data.privacy_policy_url,
        terms_of_service: true,
        email,
      })
    },
    () => get(`${mail}/messages?to=${email}`),
    (last) =>
      get(/http[^\s"\\]+bot_sessions[^\s"\\]+/.exec(JSON.parse(last).data[0].text)?.[0] ?? ''),
    (last) => {
      const { api_v2_token: token } = JSON.parse(last).data
      return post(`${api}/v2/api_keys`, {}, { authorization: `Bearer ${token}` })
    },
    (last) => {
      const { api_key: key } = JSON.parse(last).data
      const query = 'filter%5Blocality%5D=Chicago&page%5Bsize%5D=3'
      const url = `${api}/v2/available_phone_numbers?${query}`
      return get(url, { authorization: `Bearer ${key}` })
    },
  ]
  return ({ results }) => {
    const body = results.at(-1)?.split('\n\n').slice(1).join('\n\n') ?? ''
    return moves[results.length]?.(body) ?? { say: 'I found numbers in Chicago.' }
  }
}
