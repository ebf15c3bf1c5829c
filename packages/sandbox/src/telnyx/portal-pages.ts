import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import type { LedgerEntry } from '../ledger.ts'
import { page } from './sites.ts'

export function signInPage(problem?: string): HtmlEscapedString {
  return page(
    'Sign in',
    html`${problem === undefined ? '' : html`<p role="alert">${problem}</p>`}
<form method="post" action="/sign-in">
<label>Mail address <input name="email" type="email" required autofocus></label>
<button>Sign in</button>
</form>
<p>In the sandbox nobody checks whose address it is, and an unknown one gets an account.</p>`,
  )
}

export function keysPage(
  email: string,
  keys: readonly LedgerEntry[],
  fresh: LedgerEntry | undefined,
): HtmlEscapedString {
  return page(
    'API keys',
    html`${
      fresh === undefined
        ? ''
        : html`<section role="status"><h2>Your new key</h2>
<p>Copy it now. It is not shown again.</p><p><code id="new-key">${fresh.value}</code></p></section>`
    }
<h2>Keys of ${email}</h2>
${keys.length === 0 ? html`<p>There are none.</p>` : table(keys)}
<h2>Make a key</h2>
<form method="post" action="/keys">
<label>Name <input name="name" placeholder="unnamed"></label>
<label>It may <select name="scope">
<option value="full">do everything</option><option value="read">read only</option>
</select></label>
<button>Create key</button>
</form>
<form method="post" action="/sign-out"><p><button>Sign out</button></p></form>`,
  )
}

function table(keys: readonly LedgerEntry[]) {
  return html`<table>
<thead><tr><th>Name</th><th>May</th><th>Made</th><th>Ends with</th><th></th></tr></thead>
<tbody>${keys.map(
    (key) => html`<tr>
<td>${key.name}</td><td>${key.scope}</td><td>${new Date(key.issuedAt).toISOString()}</td>
<td><code>${key.value.slice(-4)}</code></td>
<td><form method="post" action="/keys/${key.id}/delete">
<button aria-label="Delete ${key.name}">Delete</button></form></td>
</tr>`,
  )}</tbody>
</table>`
}
