import type { GuardedAnswer } from '@authmd/core/reading'
import { domainOf } from '../document.ts'
import type { Facts, Link, Metadata, Rule } from '../facts.ts'
import { quote, quotes } from '../quote.ts'

const isThere = ({ answer }: Link) => answer !== undefined && answer.status < 400

export const linkRules: readonly Rule[] = [
  {
    id: 'link-dead',
    severity: 'error',
    source: 'RFC 9110 §15.5.5, §15.5.11',
    finds: 'an address that is not there',
    *check(facts) {
      for (const link of facts.links) {
        const { url, line, answer, error, programmatic } = link
        // The root of an API, and what only takes a POST, may well say 404 to a reader.
        const isPage = new URL(url).pathname !== '/' && (!programmatic || /\.\w{2,4}$/.test(url))
        const gone = isPage && answer && [404, 410].includes(answer.status)
        const lost = error === 'network_failed' || error === 'redirect_refused'
        if (!gone && !lost) continue
        const why = answer
          ? `answers ${answer.status}`
          : error === 'redirect_refused'
            ? 'redirects in a loop, or to where nobody may be sent'
            : 'cannot be reached'
        yield {
          place: placeOf(facts, line),
          problem: `${quote(url)} ${why}.`,
          fix: 'Correct the address, or take it out.',
        }
      }
    },
  },
  {
    id: 'link-failing',
    severity: 'warning',
    source: 'RFC 9110 §15.6',
    finds: 'an address that fails, or does not answer in time',
    *check(facts) {
      for (const { url, line, answer, error } of facts.links) {
        const failed = answer !== undefined && answer.status >= 500
        const slow = error === 'response_timeout' || error === 'response_malformed'
        if (!failed && !slow) continue
        yield {
          place: placeOf(facts, line),
          problem: `${quote(url)} ${answer ? `fails with ${answer.status}` : 'gives no whole answer in time'}.`,
          fix: 'See whether it was only now. If not, correct the address.',
        }
      }
    },
  },
  {
    id: 'link-moved',
    severity: 'hint',
    source: 'RFC 9110 §15.4.2, §15.4.9',
    finds: 'an address that has moved for good',
    *check(facts) {
      for (const link of facts.links) {
        const hops = link.answer?.hops ?? []
        const moved =
          hops.length > 0 && hops.every(({ status }) => status === 301 || status === 308)
        if (!moved || !isThere(link) || isTheSame(link.url, link.answer?.url ?? '')) continue
        yield {
          place: placeOf(facts, link.line),
          problem: `${quote(link.url)} has moved for good.`,
          fix: 'Write where it is now.',
          text: new URL(link.answer?.url ?? link.url).href,
        }
      }
    },
  },
  {
    id: 'page-for-people',
    severity: 'error',
    source: 'auth.md, “Register”, “Claim”',
    finds: 'an HTML page at an address that is called programmatic',
    *check(facts) {
      for (const link of facts.links) {
        const { answer, url, line } = link
        if (!link.programmatic || answer?.status !== 200) continue
        if (!isHtml(answer)) continue
        yield {
          place: placeOf(facts, line),
          problem: `${quote(url)} is called programmatic and answers with an HTML page${isShell(answer.text) ? ' that is empty without JavaScript' : ''}.`,
          fix: 'Serve Markdown or JSON there, or call it interactive.',
        }
      }
    },
  },
  {
    id: 'page-needs-scripts',
    severity: 'hint',
    source: 'auth.md, introduction',
    finds: 'documentation that is empty without JavaScript',
    *check(facts) {
      const empty = facts.links.filter(
        ({ documentation, answer }) =>
          documentation && answer?.status === 200 && isHtml(answer) && isShell(answer.text),
      )
      const [first] = empty
      if (!first) return
      yield {
        place: placeOf(facts, first.line),
        problem: `Agents run no scripts, and without them there is nothing to read at ${quotes(empty.map(({ url }) => url))}.`,
        fix: 'Serve the words in the page itself, or as Markdown to whoever asks for text/markdown.',
      }
    },
  },
  {
    id: 'metadata-elsewhere',
    severity: 'error',
    source: 'RFC 9728 §3.1; RFC 8414 §3',
    finds: 'metadata that redirects to another domain',
    *check({ resources, servers }) {
      for (const { url, answer } of [...resources, ...servers]) {
        if (!answer || domainOf(answer.url) === domainOf(url)) continue
        yield {
          place: { url },
          problem: `The address redirects to ${quote(answer.url)}. What another domain says of this one does not count.`,
          fix: 'Answer here.',
        }
      }
    },
  },
  {
    id: 'cached-too-long',
    severity: 'hint',
    source: 'RFC 9728 §7.10; RFC 9111 §5.2.2.1',
    finds: 'a text or metadata that may be kept for more than a day',
    *check({ document, resources, servers, keys }) {
      const answers = [document, ...resources, ...servers, ...keys].flatMap(
        (one) => one?.answer ?? [],
      )
      for (const { url, headers, status } of answers) {
        const field = headers.get('cache-control') ?? ''
        const age = Number(/(?:^|[\s,])max-age\s*=\s*"?(\d{1,12})/i.exec(field)?.[1] ?? 0)
        if (status !== 200 || (age <= 86_400 && !/\bimmutable\b/i.test(field))) continue
        yield {
          place: { url, at: 'Cache-Control' },
          problem: `Agents may keep this for ${Math.round(age / 3600)} hours, whatever you change meanwhile.`,
          fix: 'Let it be kept for minutes.',
          text: 'Cache-Control: public, max-age=300',
        }
      }
    },
  },
]

function placeOf({ document }: Facts, line: number) {
  return { url: document?.url ?? '', line }
}

/** The same but for a slash at the end or a prefix `www.`. */
function isTheSame(one: string, other: string): boolean {
  const key = (url: string) => new URL(url).href.replace(/#.*$/, '').replace(/\/$/, '')
  return !URL.canParse(other) || key(one) === key(other)
}

function isHtml({ mediaType, text }: GuardedAnswer): boolean {
  return /html/.test(mediaType) || /^\s*<(?:!doctype|html)/i.test(text)
}

/** A page whose words are made by a script. */
function isShell(html: string): boolean {
  const body = html
    .slice(0, 200_000)
    .replace(/<(script|style|noscript|head)\b[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
  return /<script\b/i.test(html) && body.replace(/\s+/g, ' ').trim().length < 80
}

/** Whether an answer to a request for metadata is no metadata. Where it leads elsewhere, another rule says so. */
export function isUnreadable({ answer, json, url }: Metadata): boolean {
  if (answer && domainOf(answer.url) !== domainOf(url)) return false
  return answer === undefined || answer.status !== 200 || json === undefined
}
