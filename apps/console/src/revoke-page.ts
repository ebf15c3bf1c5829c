import type { Action, CredentialView, Outcome } from '@authmd/core'
import { exactly, type Html, hostOf, html, link, ownLine, type Page } from '@authmd/core/pages'
import { facts } from './credentials-page.ts'

/** A form of the console: where it goes, and what shows that it is one of ours. */
export interface Form {
  readonly action: string
  readonly token: string
}

interface Parts {
  readonly form: Form
  readonly now: number
  /** The page with all credentials. */
  readonly back: string
}

/** The page that asks whether a credential is to be revoked. `action`: what that is, as far as it is known. */
export function revokePage(one: CredentialView, action: Action | undefined, parts: Parts): Page {
  const { service, shared, state } = one
  const title = shared
    ? html`Give back a credential for ${hostOf(service)}?`
    : html`Revoke a credential for ${hostOf(service)}?`
  const follows = shared
    ? html`<p>You will not have it any more. It works on for its owner.</p>`
    : html`<p>It is out of use here at once and for good: agents that need it will ask again. Where the service can be
asked to end it, it is asked; where it cannot, you are told where you end it yourself.</p>
${action === undefined ? '' : exactly(action)}`
  const button = shared
    ? 'Give it back'
    : state === 'revoking'
      ? 'Go on with revoking'
      : 'Revoke it'
  const main = html`<h1>${title}</h1>
<h2>What it is</h2>
<p><code>${one.handle}</code></p>
${facts(one, parts.now)}
<h2>What follows</h2>
${follows}
${buttonOf(parts.form, button)}
<p><a href="${parts.back}">Back to the credentials</a></p>`
  return { status: 200, title, main }
}

/** What came of it. */
export function revokedPage(
  one: CredentialView,
  outcome: Outcome | undefined,
  { form, back }: Parts,
): Page {
  const { title, text, again, url } = said(outcome)
  const service = hostOf(one.service)
  const main = html`<h1>${title}</h1>
<p>The credential <code>${one.handle}</code> for ${service}.</p>
<p>${ownLine(text)}</p>
${url === undefined ? '' : html`<p>${link(url) ?? url}</p>`}
${again === undefined ? '' : buttonOf(form, again)}
<p><a href="${back}">Back to the credentials</a></p>`
  return { status: 200, title: html`${title}`, main }
}

interface Said {
  readonly title: string
  readonly text: string
  readonly url?: string | undefined
  /** The button that asks once more. */
  readonly again?: string
}

function said(outcome: Outcome | undefined): Said {
  if (outcome === undefined) return { title: 'Given back', text: 'It works on for its owner.' }
  switch (outcome.status) {
    case 'ended': {
      const { verdict, reason, url } = outcome
      const titles = {
        revoked: 'Revoked',
        forgotten: 'Deleted here',
        unknown: 'Deleted here',
        cancelled: 'Ended',
      }
      return { title: titles[verdict], text: reason, url }
    }
    case 'needs_person': {
      const { need, notice } = outcome
      const text = [notice, need.text].filter((one) => one !== undefined).join(' ')
      return {
        title: 'One thing is left to you',
        text,
        url: need.url,
        again: 'I have done it: look',
      }
    }
    case 'pending':
      return {
        title: 'Out of use, not yet ended',
        text: outcome.reason,
        again: 'Ask the service again',
      }
    case 'refused':
      return { title: 'Not done', text: outcome.reason }
    default:
      return {
        title: 'Not done',
        text: 'Something else was at work on it just now.',
        again: 'Once more',
      }
  }
}

function buttonOf({ action, token }: Form, label: string): Html {
  return html`<form method="post" action="${action}"><input type="hidden" name="form" value="${token}">
<button>${label}</button></form>`
}
