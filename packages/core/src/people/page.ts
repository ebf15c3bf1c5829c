import { toBase64Url } from '../encoding.ts'
import { type Html, html, joined } from './intake-html.ts'
import { style } from './intake-style.ts'

/** What a person is shown. */
export interface Page {
  readonly status: number
  readonly title: Html
  readonly main: Html
}

/** What stands around a page, for one that is part of something larger. */
export interface Around {
  /** Before the page itself. */
  readonly above?: Html
  /** More than the looks that every page has. */
  readonly style?: Html
  /** A script of ours, which may speak to where it came from. */
  readonly script?: Html
}

/** The whole document. Nothing of anybody else is loaded, framed, kept or told where it came from. */
export function documentOf(
  { status, title, main }: Page,
  headers: Readonly<Record<string, string>> = {},
  { above, style: more, script }: Around = {},
): Response {
  const nonce = toBase64Url(crypto.getRandomValues(new Uint8Array(16)))
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style nonce="${nonce}">${style}${more ?? ''}</style>
</head>
<body>${above ?? ''}<main id="main">${main}</main>${
    script === undefined ? '' : html`<script nonce="${nonce}">${script}</script>`
  }</body>
</html>
`
  const scripts = script === undefined ? '' : ` script-src 'nonce-${nonce}'; connect-src 'self';`
  return new Response(document.text, {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}';${scripts} form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      ...headers,
    },
  })
}

/** A word about names that may not be what they look like. */
export function lookAlikes(urls: readonly string[]): Html {
  return urls.some((url) => url.includes('xn--'))
    ? html`<p class="notice">A name with <code>xn--</code> holds letters that can look like others. Make sure that
it is the service you mean.</p>`
    : html``
}

/** The host as the URL standard writes it: a name in other letters stays in punycode. */
export function hostOf(url: string): Html {
  return html`${URL.parse(url)?.host ?? url}`
}

/** A link to a page of the web; undefined for anything else. */
export function link(url: string): Html | undefined {
  const parsed = URL.parse(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return undefined
  return html`<a href="${parsed.href}" target="_blank" rel="noopener noreferrer">${address(parsed.href)}</a>`
}

/** A URL that breaks at its slashes before it breaks anywhere else. */
export function address(url: string): Html {
  const [scheme = '', rest] = url.split('//', 2)
  if (rest === undefined) return html`<code>${url}</code>`
  const parts = url.slice(scheme.length + 2).split('/')
  return html`<code>${scheme}//${joined(
    parts.map((part) => html`${part}`),
    '/<wbr>',
  )}</code>`
}

export function time(ms: number): Html {
  const iso = new Date(ms).toISOString()
  return html`<time datetime="${iso}">${iso.slice(11, 16)} UTC on ${iso.slice(0, 10)}</time>`
}

export function minutes(ms: number): string {
  const left = Math.max(1, Math.round(ms / 60_000))
  if (left < 90) return left === 1 ? '1 minute' : `${left} minutes`
  return `about ${Math.round(left / 60)} hours`
}
