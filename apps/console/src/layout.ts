import { documentOf, type Html, html, joined, type Page } from '@authmd/core/pages'
import { looks, script } from './looks.ts'

/** Who looks at a page, and what every page has around it. */
export interface Visitor {
  readonly approver: string
  /** A form's target to sign out, with its token; or an address that does. */
  readonly out?: { readonly action: string; readonly token: string } | { readonly href: string }
}

/** A place that is always one step away. */
export interface Place {
  readonly path: string
  readonly label: string
}

export interface Frame {
  /** Whose console it is. */
  readonly name: string
  readonly places: readonly Place[]
  /** The path of the place that the page belongs to. */
  readonly at: string
  readonly visitor: Visitor
}

/** A page with more room than a form, for lists. */
export interface WidePage extends Page {
  readonly wide: true
}

/** A page of the console for somebody who is signed in. */
export function framed(
  page: Page | WidePage,
  { name, places, at, visitor }: Frame,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const items = places.map(
    ({ path, label }) =>
      html`<li><a href="${path}"${path === at ? html` aria-current="page"` : ''}>${label}</a></li>`,
  )
  const above = html`<a class="skip" href="#main">To the content</a>
<header><div><strong>${name}</strong>
<nav aria-label="Console"><ul>${joined(items, '')}</ul></nav>
<div class="who"><span>${visitor.approver}</span>${signOut(visitor)}</div></div></header>`
  const main = 'wide' in page ? html`<div class="wide">${page.main}</div>` : page.main
  return documentOf({ ...page, main }, headers, { above, style: looks, script })
}

function signOut({ out }: Visitor): Html {
  if (out === undefined) return html``
  if ('href' in out) return html`<a class="button no" href="${out.href}">Sign out</a>`
  return html`<form method="post" action="${out.action}"><input type="hidden" name="form" value="${out.token}">
<button class="no">Sign out</button></form>`
}
