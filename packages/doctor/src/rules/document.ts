import { withoutHidden } from '@authmd/core/reading'
import { isPlaceholder } from '../document.ts'
import type { Facts, Rule } from '../facts.ts'
import { quote, quotes } from '../quote.ts'
import { openBlock, stated, top } from '../said.ts'

/** Nothing of a page for agents: neither text nor metadata that leads in. */
function hasMetadata({ servers, resources }: Facts): boolean {
  return [...servers, ...resources].some(({ json }) => json !== undefined)
}

const broken = ['response_timeout', 'response_malformed', 'redirect_refused']
const isMissing = (status: number) => status >= 400 && status < 500

const html = /^\s*<(?:!doctype|html)/i

export const documentRules: readonly Rule[] = [
  {
    id: 'nothing-for-agents',
    severity: 'error',
    source: 'auth.md, “Discover”',
    finds: 'neither an auth.md nor metadata',
    *check(facts) {
      const { asked, document, instead } = facts
      if (asked === undefined || document || hasMetadata(facts)) return
      // What is there, or fails, is not missing: other rules speak of it.
      if (instead.some(({ answer }) => answer === undefined || !isMissing(answer.status))) return
      yield {
        place: { url: new URL('/auth.md', asked).href },
        problem: 'There is no text for agents here, and no metadata that says how to get in.',
        fix: 'Serve an auth.md at the root of the site, or metadata of RFC 9728 and RFC 8414.',
      }
    },
  },
  {
    id: 'document-failing',
    severity: 'error',
    source: 'RFC 9110 §15.6',
    finds: 'a text that fails, or does not answer in time',
    *check({ instead }) {
      for (const { url, answer, error } of instead) {
        const failing = answer !== undefined && answer.status >= 500
        if (!failing && !broken.includes(error ?? '')) continue
        yield {
          place: { url },
          problem: answer
            ? `The address of the text fails with ${answer.status}.`
            : 'The address of the text gives no whole answer, or leads nowhere.',
          fix: 'See whether it was only now. If not, repair it: agents come here first.',
        }
        return
      }
    },
  },
  {
    id: 'document-is-a-page',
    severity: 'error',
    source: 'auth.md, “Discover”; RFC 7763 §2',
    finds: 'an HTML page in the place of the auth.md',
    *check({ instead, document }) {
      if (document) return
      for (const { url, answer } of instead) {
        if (answer?.status !== 200 || !html.test(answer.text)) continue
        yield {
          place: { url },
          problem: 'The answer is an HTML page: agents read Markdown, and run no scripts.',
          fix: 'Serve the Markdown itself, and a 404 for what is not there.',
          text: 'Content-Type: text/markdown; charset=utf-8',
        }
        return
      }
    },
  },
  {
    id: 'document-media-type',
    severity: 'warning',
    source: 'RFC 7763 §2',
    finds: 'a text that is not served as Markdown',
    *check({ document }) {
      const answer = document?.answer
      if (!answer || /^text\/(?:x-)?markdown$|^text\/plain$/.test(answer.mediaType)) return
      const type =
        answer.mediaType === '' ? 'without a media type' : `as ${quote(answer.mediaType)}`
      yield {
        place: { url: answer.url, at: 'Content-Type' },
        problem: `The text is served ${type}, so that agents may take it for a page.`,
        fix: 'Say that it is Markdown.',
        text: 'Content-Type: text/markdown; charset=utf-8',
      }
    },
  },
  {
    id: 'document-plain-text',
    severity: 'hint',
    source: 'RFC 7763 §2',
    finds: 'a text that is served as plain text',
    *check({ document }) {
      if (document?.answer?.mediaType !== 'text/plain') return
      yield {
        place: { url: document.url, at: 'Content-Type' },
        problem: 'The text is served as plain text.',
        fix: 'Say that it is Markdown, so that no agent has to guess.',
        text: 'Content-Type: text/markdown; charset=utf-8',
      }
    },
  },
  {
    id: 'document-encoding',
    severity: 'warning',
    source: 'RFC 7763 §2',
    finds: 'bytes that are no UTF-8, or were made UTF-8 twice',
    *check({ document }) {
      const at = document?.lines.findIndex((line) => isGarbled(line)) ?? -1
      if (!document || at < 0) return
      yield {
        place: { url: document.url, line: at + 1 },
        problem: `The encoding went wrong: ${quote(document.lines[at] ?? '')}`,
        fix: 'Save and serve the text as UTF-8, once.',
      }
    },
  },
  {
    id: 'document-cut',
    severity: 'warning',
    source: 'auth.md, introduction',
    finds: 'a text that is too large or too dense to be read to its end',
    *check({ document, instead }) {
      const large = instead.find(({ error }) => error === 'response_too_large')
      if (large) {
        yield {
          place: { url: large.url },
          problem: 'The text is larger than 1 MiB, which nobody reads.',
          fix: 'Keep to what an agent needs to get in, a few pages, and link to the rest.',
        }
      }
      const warning = document?.reading.warnings.find((one) =>
        /longer than|too large|Very long|very long|too much markup|Too many|nested/.test(one),
      )
      if (!document || warning === undefined) return
      yield {
        place: { url: document.url },
        problem: `A careful reader does not read all of it: ${warning.charAt(0).toLowerCase()}${warning.slice(1)}`,
        fix: 'Keep to what an agent needs to get in, a few pages, and link to the rest.',
      }
    },
  },
  {
    id: 'document-title',
    severity: 'hint',
    source: 'auth.md, introduction',
    finds: 'a title by which nobody knows the text for an auth.md',
    *check({ document }) {
      if (!document) return
      const heading = document.outline.statements.find(({ kind }) => kind === 'heading')
      if (/auth(?:\.md|entication|ori[sz]ation)?\b|agent/i.test(heading?.text ?? '')) return
      yield {
        place: top(document),
        problem: heading
          ? `The title ${quote(heading.text)} does not say that this is an auth.md.`
          : 'The text has no title.',
        fix: 'Begin with a heading that names the convention.',
        text: '# auth.md',
      }
    },
  },
  {
    id: 'document-hidden-text',
    severity: 'warning',
    source: 'auth.md, introduction',
    finds: 'characters or markup that a person does not see and a program does',
    *check({ document }) {
      if (!document) return
      const { url, lines, reading } = document
      const at = lines.findIndex((line, index) => {
        const own = index === 0 ? line.replace(/^\uFEFF/, '') : line
        const seen = own.replace(joining, '')
        return withoutHidden(seen) !== seen && !isGarbled(own)
      })
      const hides = reading.warnings.includes('Hidden HTML was dropped.')
      const tag = lines.findIndex((line) =>
        /<\w[^>]*(?:\shidden\b|display:\s*none|visibility:\s*hidden|aria-hidden)|<(?:template|script|style|noscript)\b/i.test(
          line,
        ),
      )
      if (at < 0 && !(hides && tag >= 0)) return
      yield {
        place: { url, line: (at < 0 ? tag : at) + 1 },
        problem:
          at < 0
            ? 'The text holds HTML that is not shown. Agents drop it, and may distrust the rest.'
            : 'The line holds characters that are not shown (zero width, direction or control).',
        fix: 'Take out what a person does not see.',
      }
    },
  },
  {
    id: 'document-placeholder',
    severity: 'error',
    source: 'auth.md, introduction (placeholder hosts)',
    finds: 'a host of a template that was never filled in',
    *check({ endpoints, document }) {
      const hosts = new Map<string, (typeof endpoints)[number]>()
      for (const endpoint of endpoints) {
        const host = hostOf(endpoint.url)
        if (host !== undefined && isPlaceholder(host) && !hosts.has(host)) hosts.set(host, endpoint)
      }
      const written = document && writtenPlaceholder(document.lines)
      if (hosts.size === 0 && document && written) {
        yield {
          place: { url: document.url, line: written.line },
          problem: `${quote(written.text)} stands in the place of an address.`,
          fix: 'Write the address of your service.',
        }
        return
      }
      const [first] = hosts.values()
      if (!first) return
      yield {
        place: first.place,
        problem: `The text names addresses on ${quotes([...hosts.keys()])}, which stand for a service and are none.`,
        fix: 'Write the addresses of your service.',
      }
    },
  },
  {
    id: 'document-unfinished',
    severity: 'warning',
    source: 'auth.md, introduction',
    finds: 'a note of the author that was left in',
    *check({ document }) {
      if (!document) return
      const at = document.lines.findIndex((line) =>
        /(?<![\w"'`/#.-])(?<!\b[A-Z]{2,}, )(?:TODO|TBD|FIXME)(?![\w"'`/-]|,? and\b|, [A-Z]{2})|\blorem ipsum\b/.test(
          line,
        ),
      )
      if (at < 0) return
      yield {
        place: { url: document.url, line: at + 1 },
        problem: `A note was left in the text: ${quote(document.lines[at] ?? '')}`,
        fix: 'Finish the sentence, or take it out.',
      }
    },
  },
  {
    id: 'document-cut-off',
    severity: 'warning',
    source: 'auth.md, introduction',
    finds: 'a text that ends in a block of code which is never closed',
    *check({ document }) {
      const open = document && openBlock(document)
      if (!document || !open) return
      yield {
        place: { url: document.url, line: open.line },
        problem:
          'The text ends in a block of code that is never closed: it breaks off, or all from here on is taken for code.',
        fix: 'Close the block, and see whether the end of the text is missing.',
        text: '```',
      }
    },
  },
  {
    id: 'document-no-way-in',
    severity: 'error',
    source: 'auth.md, “Pick a method”',
    finds: 'a text that is no auth.md: it speaks to nobody, or names no way in',
    *check({ document }) {
      const why = document?.reading.why
      if (!document || why === undefined || why === builders) return
      const names = stated(document, 'register_uri', 'claim_uri', 'method').length > 0
      if (names && why === 'it names no way in') return
      yield {
        place: top(document),
        problem: `Agents do not take this text for an auth.md: ${why}.`,
        fix: 'Say in the first lines that it is for agents, and then how they get a credential, or that they need none.',
        text: 'You are an agent. This page says how to get a credential for the API at https://….',
      }
    },
  },
  {
    id: 'document-for-builders',
    severity: 'warning',
    source: 'auth.md, introduction',
    finds: 'a text that tells how software is built, not how an agent gets in',
    *check({ document }) {
      if (document?.reading.why !== builders) return
      yield {
        place: top(document),
        problem: `Most of the text is for those who build software, so that agents take it for something else.`,
        fix: 'Keep what an agent does to get in, and move the rest to your documentation.',
      }
    },
  },
]

const builders = 'it is about how software is built'

/** Joiners that make one sign of several emoji, or with which Arabic, Persian and some Indic scripts are written. */
const joining =
  /(?<=\p{Extended_Pictographic}|\ufe0f|\p{Emoji_Modifier})\u200d(?=\p{Extended_Pictographic})|(?<=\p{sc=Arab}|\p{sc=Deva}|\p{sc=Beng}|\p{sc=Mlym})[\u200c\u200d](?=\p{sc=Arab}|\p{sc=Deva}|\p{sc=Beng}|\p{sc=Mlym})/gu

/**
 * Replaced bytes, or UTF-8 that was taken for Latin-1 or Windows-1252 and made UTF-8 again. What that makes of
 * letters is written nowhere else, but for closing quotation marks and dashes behind a capital Ã.
 */
function isGarbled(line: string): boolean {
  return /\uFFFD|[\u00c2-\u00f4][\u0080-\u009f]|\u00c3[\u00a1-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u201e\u20ac\u2122]|\u00c2[\u00a1-\u00bf]|\u00e2\u20ac/.test(
    line,
  )
}

function hostOf(url: string): string | undefined {
  return URL.parse(url)?.hostname
}

/** `https://YOUR_DOMAIN/…`, which is no URL at all. */
function writtenPlaceholder(lines: readonly string[]): { line: number; text: string } | undefined {
  for (const [at, line] of lines.entries()) {
    const found =
      /https?:\/\/(?:YOUR[_-]?\w*(?:DOMAIN|HOST|SERVICE|SITE|SERVER)\w*|[<{[]+(?:your[ _-]?)?(?:domain|host|base_?url|service)[^/\s]*?[>}\]]+)/i.exec(
        line,
      )
    if (found) return { line: at + 1, text: found[0] }
  }
  return undefined
}
