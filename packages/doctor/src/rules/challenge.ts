import { type GuardedAnswer, parseChallenges } from '@authmd/core/reading'
import type { Facts, Rule } from '../facts.ts'
import { objectOf } from '../labels.ts'
import { quote } from '../quote.ts'
import { isDenied, says, stated } from '../said.ts'

/** The first answer of the API that refuses one who has no credential. */
function refusal({ probes }: Facts): GuardedAnswer | undefined {
  return probes.find(({ answer }) => answer?.status === 401)?.answer
}

function metadataUrl({ resources }: Facts): string | undefined {
  return resources.find(({ json }) => json !== undefined)?.url
}

/** The text says openly that there is no hint in the header. */
function isAdmitted({ document }: Facts): boolean {
  if (!document) return false
  return (
    isDenied(document, /www-authenticate/i) ||
    says(
      document,
      /\b(?:(?:no|without)(?: an?| any| the)?|(?:not|never|n[’']t)(?: \w+){0,3}) WWW-Authenticate\b|\bWWW-Authenticate\b(?: header| field| challenge)?(?: is| are)? (?:not|never|missing|absent|omitted|left out)\b/i,
    )
  )
}

export const challengeRules: readonly Rule[] = [
  {
    id: 'challenge-missing',
    severity: 'warning',
    source: 'RFC 9110 §15.5.2, §11.6.1',
    finds: 'a 401 without WWW-Authenticate',
    *check(facts) {
      const answer = refusal(facts)
      if (!answer || answer.headers.get('www-authenticate') || isAdmitted(facts)) return
      const url = metadataUrl(facts)
      yield {
        place: { url: answer.url, at: 'WWW-Authenticate' },
        problem: 'A 401 must say how to authenticate; this one does not.',
        fix: 'Send the header with every 401.',
        text: `WWW-Authenticate: ${url ? `Bearer resource_metadata="${url}"` : 'Bearer'}`,
      }
    },
  },
  {
    id: 'challenge-no-metadata',
    severity: 'warning',
    source: 'RFC 9728 §5.1',
    finds: 'a challenge that does not lead to the metadata that there is',
    *check(facts) {
      const answer = refusal(facts)
      const field = answer?.headers.get('www-authenticate')
      const url = metadataUrl(facts)
      if (!answer || !field || !url || isAdmitted(facts)) return
      const params = parseChallenges(field).flatMap((one) => one.params)
      if (params.some(([name]) => name === 'resource_metadata')) return
      yield {
        place: { url: answer.url, at: 'WWW-Authenticate' },
        problem:
          'The challenge does not name the metadata of the resource, from which an agent would find everything else.',
        fix: 'Add the parameter.',
        text: `WWW-Authenticate: Bearer resource_metadata="${url}"`,
      }
    },
  },
  {
    id: 'challenge-malformed',
    severity: 'error',
    source: 'RFC 9728 §5.1; RFC 9110 §11.6.1',
    finds: 'a challenge whose resource_metadata is no URL, or stands twice',
    *check(facts) {
      const answer = refusal(facts)
      const params = parseChallenges(answer?.headers.get('www-authenticate') ?? '').flatMap(
        (one) => one.params,
      )
      const values = params
        .filter(([name]) => name === 'resource_metadata')
        .map(([, value]) => value)
      const odd = values.find((one) => !URL.canParse(one))
      const twice = new Set(values).size > 1
      if (!answer || (odd === undefined && !twice)) return
      yield {
        place: { url: answer.url, at: 'WWW-Authenticate' },
        problem:
          odd === undefined
            ? 'The challenge names several metadata documents.'
            : `resource_metadata is no whole URL: ${quote(odd)}`,
        fix: 'Name one document, by its whole URL, in quotation marks.',
        text: `WWW-Authenticate: Bearer resource_metadata="${new URL('/.well-known/oauth-protected-resource', answer.url).href}"`,
      }
    },
  },
  {
    id: 'error-body',
    severity: 'warning',
    source: 'auth.md, “Errors”; RFC 6750 §3.1',
    finds: 'an error that is a page, or text that no program reads',
    *check(facts) {
      const answer = refused(facts)
      if (!answer || answer.text.trim() === '' || objectOf(answer.text)) return
      const page = /^\s*</.test(answer.text)
      yield {
        place: { url: answer.url },
        problem: `The ${answer.status} of the API is ${page ? 'a page' : `plain text: ${quote(answer.text, 60)}`}.`,
        fix: 'Answer with JSON.',
        text: 'Content-Type: application/json\n\n{ "error": "unauthorized", "message": "Send a key in the header Authorization." }',
      }
    },
  },
  {
    id: 'error-without-code',
    severity: 'hint',
    source: 'auth.md, “Errors”; RFC 9457 §3.1',
    finds: 'an error without a code',
    *check(facts) {
      const answer = refused(facts)
      const json = answer && objectOf(answer.text)
      if (!answer || !json) return
      if (['error', 'errors', 'code', 'type', 'error_code'].some((name) => name in json)) return
      const { document } = facts
      if (document && stated(document, 'error_shape').length > 0) return
      yield {
        place: { url: answer.url },
        problem: `The body of the ${answer.status} has no member error, so that a program must read its sentences.`,
        fix: 'Add a code that does not change.',
        text: '{ "error": "unauthorized", "message": "…" }',
      }
    },
  },
  {
    id: 'login-instead-of-401',
    severity: 'warning',
    source: 'RFC 9110 §15.5.2; RFC 6750 §3',
    finds: 'an API that sends one who has no credential to a login page',
    *check({ probes, document }) {
      for (const { url, answer } of probes) {
        const page = answer && answer.hops.length > 0 && /html/.test(answer.mediaType)
        if (!page || !/\/(?:log-?in|sign-?in|auth|sso|session)/i.test(new URL(answer.url).pathname))
          continue
        // A site's own page may well do so.
        const isApi =
          document &&
          stated(document, 'use_base_url', 'request').some(({ value, request }) =>
            [value, request?.url].includes(url),
          )
        if (!isApi) continue
        yield {
          place: { url },
          problem: `Without a credential the API redirects to ${quote(answer.url)}, a page for people.`,
          fix: 'Answer 401 with WWW-Authenticate.',
          text: 'HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Bearer',
        }
        return
      }
    },
  },
]

/** An error that says that there is no credential. */
function refused({ probes }: Facts): GuardedAnswer | undefined {
  return probes.find(({ answer }) => answer && [401, 403].includes(answer.status))?.answer
}
