import { html, joined, type Page } from '@authmd/core/pages'
import { type ConsolePerson, nameOf } from './person.ts'
import type { Form } from './revoke-page.ts'

/** Says whose console opens, before it does: a link that somebody else sent shows here. */
export function signInPage(name: string, person: ConsolePerson, { action, token }: Form): Page {
  const owners = person.owners.map((one) => html`<li>${nameOf(one)}</li>`)
  const main = html`<h1>Sign in to ${name}</h1>
<p>You sign in as <strong>${person.approver}</strong>, and see and decide for:</p>
<ul>${joined(owners, '')}</ul>
<form method="post" action="${action}"><input type="hidden" name="form" value="${token}">
<button>Sign in</button></form>
<p class="small">Is this not you? Close the page, and give nothing to it.</p>`
  return { status: 200, title: html`Sign in to ${name}`, main }
}

const plain = {
  out: [
    401,
    'You are not signed in',
    'Open a sign-in link: each works once, for ten minutes. The program that runs this console gives out a new one.',
  ],
  'out-meanwhile': [
    401,
    'You are not signed in any more',
    'Nothing was taken, and what waits for you goes on waiting. Open a sign-in link and do it again: the program that runs this console gives out a new one.',
  ],
  stranger: [403, 'You have no access here', 'Whoever runs this console has to let you in.'],
  'link-gone': [
    410,
    'This sign-in link is of no use any more',
    'It was used or has expired. The program that runs this console gives out a new one.',
  ],
  'signed-out': [200, 'You are signed out', 'What waits for you goes on waiting.'],
  unknown: [404, 'There is no such page', 'What it was about may have ended meanwhile.'],
  gone: [
    410,
    'This is not needed any more',
    'It was decided or handed over already, it has expired, or something else is needed by now.',
  ],
  foreign: [
    403,
    'This form came from somewhere else',
    'Nothing was taken. Load the page again and use the form there.',
  ],
  'not-a-form': [415, 'This is no form', 'Nothing was taken.'],
  'too-long': [413, 'That is far too long', 'Nothing was taken.'],
  'wrong-method': [
    405,
    'Nothing is shown here',
    'This address only takes another kind of request.',
  ],
  misdirected: [
    421,
    'This page has another address',
    'It is not shown under this one. Open the link as it was given to you.',
  ],
} as const

export type Plain = keyof typeof plain

/** A page that says one thing. */
export function plainPage(
  kind: Plain,
  back?: { readonly path: string; readonly label: string },
): Page {
  const [status, title, text] = plain[kind]
  const main = html`<h1>${title}</h1><p>${text}</p>
${back === undefined ? '' : html`<p><a href="${back.path}">${back.label}</a></p>`}`
  return { status, title: html`${title}`, main }
}
