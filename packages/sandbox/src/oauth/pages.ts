import { html, raw } from 'hono/html'
import { type Html, page } from '../page.ts'

export { messagePage } from '../page.ts'

export function loginPage(action: string): Html {
  return page(
    'Sign in',
    html`<form method="post" action="${action}">
<label>Mail address <input name="email" type="email" required autofocus></label>
<button>Sign in</button>
</form>
<p>In the sandbox nobody checks whose address it is, and an unknown one gets an account.</p>`,
  )
}

/** What is asked for, each scope with a box that can be left empty. */
export function consentPage(action: string, client: string, scopes: readonly string[]): Html {
  return page(
    'An application asks for access',
    html`<p><b>${client}</b> wants to use your account.</p>
<form method="post" action="${action}">
${scopes.map((scope) => html`<p><label><input type="checkbox" name="scope" value="${scope}" checked> ${scope}</label></p>`)}
<button name="decision" value="allow">Allow</button>
<button name="decision" value="refuse">Refuse</button>
</form>`,
  )
}

/** The library's own form, which has no button. */
export function typeCodePage(form: string, problem?: string | false): Html {
  return page(
    'Connect a device',
    html`${problem ? html`<p role="alert">${problem}</p>` : ''}
<p>The code that your device shows:</p>
${raw(form)}
<button form="op.deviceInputForm">Continue</button>`,
  )
}

export function confirmPage(form: string, client: string, userCode: string): Html {
  return page(
    'Connect a device',
    html`<p><b>${client}</b> should show this code: <output id="user-code">${userCode}</output></p>
${raw(form)}
<button form="op.deviceConfirmForm">It does</button>
<button form="op.deviceConfirmForm" name="abort" value="yes">It does not</button>`,
  )
}

export function donePage(): Html {
  return page('Connected', html`<p>You can close this page and go back to your device.</p>`)
}
