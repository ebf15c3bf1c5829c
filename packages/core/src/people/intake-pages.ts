import type { CodeForm } from '../methods/method.ts'
import type { BesideKey, Outcome, PersonNeed } from '../outcome.ts'
import type { Owner } from '../owner.ts'
import { type Html, html, joined } from './intake-html.ts'
import { address, documentOf, hostOf, link, lookAlikes, minutes, type Page, time } from './page.ts'
import { isDigits } from './typed-code.ts'

/** Who asks, for which service and until when. */
export interface Asking {
  readonly service: string
  readonly owner: Owner
  /** Who runs the agent. */
  readonly name?: string
  /** Epoch milliseconds. */
  readonly now: number
  /** Epoch milliseconds; infinite where it stays open. */
  readonly expires: number
  /** Where it stands alone: the page is reached by its link and by nothing else. */
  readonly alone: boolean
}

/** What a person is told before they hand anything over. */
export interface Facts extends Asking {
  readonly need: PersonNeed
  /** What a code is made of that is handed over. */
  readonly code?: CodeForm
  /** What came of an earlier answer. */
  readonly notice?: string
}

/** What a form needs beside what it asks; `fault` says what was wrong with what was given, which is never shown. */
export interface FormParts {
  readonly token: string
  readonly action: string
  readonly status: number
  readonly fault: string | undefined
  /** What was given may be right all the same. */
  readonly doubt?: boolean | undefined
}

interface Ask {
  readonly title: (service: Html) => Html
  readonly lead: (facts: Facts) => Html
  /** What happens to what is handed over: the line above the field. */
  readonly goes: (facts: Facts) => { readonly label: string; readonly places: readonly string[] }
  /** Absent where there is nothing to type. */
  readonly field?: { readonly label: string; readonly attributes: (facts: Facts) => Html }
  readonly button: string
}

const hidden = html`type="password" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="16384"`

const asks: Readonly<Record<PersonNeed['kind'], Ask>> = {
  'paste-key': {
    title: (service) => html`An API key for ${service}`,
    lead: ({ need }) => html`<ol>
<li>Make a key on ${page(need)}.</li>
<li>Paste it here. The agent will use it and never see it.</li>
</ol>`,
    goes: ({ need }) => ({ label: 'The key will be sent only to', places: need.audience ?? [] }),
    field: { label: 'API key', attributes: () => hidden },
    button: 'Hand over the key',
  },
  'open-mail': {
    title: (service) => html`The sign-in link from ${service}`,
    lead: ({
      need,
    }) => html`<p>A mail from the service is on its way to <strong>${need.email ?? 'you'}</strong>.
Do not open the link in it: it works once. Copy its address and paste it here.</p>`,
    goes: ({ service }) => ({ label: 'The link will be opened once, only at', places: [service] }),
    field: { label: 'Address of the link', attributes: () => hidden },
    button: 'Hand over the link',
  },
  'give-email': {
    title: (service) => html`A mail address for ${service}`,
    lead: ({ need }) => html`<p>${need.text}</p>`,
    goes: ({ service }) => ({ label: 'The address will be told only to', places: [service] }),
    field: {
      label: 'Mail address',
      attributes: () => html`type="email" autocomplete="email" spellcheck="false" maxlength="254"`,
    },
    button: 'Hand over the address',
  },
  'open-link': {
    title: (service) => html`Something to do at ${service}`,
    lead: ({ need }) => html`<p>${need.text}</p><p>${page(need)}</p>`,
    goes: ({ service }) => ({ label: 'Then the agent goes on at', places: [service] }),
    button: 'I have done it',
  },
  'enter-code': {
    title: (service) => html`A code to type at ${service}`,
    lead: ({ need }) => html`<p>${need.text}</p>
<ol>
<li>Open ${page(need)}.</li>
<li>Type this code there, and nowhere else: <strong class="code">${need.code ?? ''}</strong></li>
</ol>`,
    goes: ({ service }) => ({ label: 'Then the agent goes on at', places: [service] }),
    button: 'I have typed it',
  },
  'read-code': {
    title: (service) => html`The code from ${service}`,
    lead: ({ need }) =>
      html`<p>${need.text}</p>${need.url === undefined ? '' : html`<p>${page(need)}</p>`}`,
    goes: ({ service }) => ({ label: 'The code will be told only to', places: [service] }),
    field: {
      label: 'Code',
      attributes: ({ code }) =>
        html`type="text" inputmode="${isDigits(code) ? 'numeric' : 'text'}" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" maxlength="200"`,
    },
    button: 'Hand over the code',
  },
}

/** The page with the form. */
export function form(facts: Facts, parts: FormParts): Page {
  const { fault, doubt } = parts
  const { need, service, notice } = facts
  const ask = asks[need.kind]
  const goes = ask.goes(facts)
  const title = ask.title(hostOf(service))
  const described = fault === undefined ? 'goes' : 'fault goes'
  const fields = html`<p class="goes" id="goes">${goes.label} ${joined(
    goes.places.map(address),
    ' and ',
  )}${ask.field === undefined ? '.' : ', nowhere else.'}</p>
${lookAlikes([service, need.url ?? '', ...goes.places])}
${
  ask.field === undefined
    ? ''
    : html`<label for="given">${ask.field.label}</label>
<input id="given" name="given" ${ask.field.attributes(facts)} required aria-describedby="${described}"${
        fault === undefined ? '' : html` aria-invalid="true" autofocus`
      }>`
}
${joined((need.beside ?? []).map(besideField), '\n')}
${doubt ? html`<p><label><input type="checkbox" name="insist" value="yes"> It is right all the same: use it.</label></p>` : ''}
<button>${ask.button}</button>`
  const noticed =
    fault === undefined && notice !== undefined
      ? html`<p class="notice" role="status">${notice}</p>`
      : html``
  return formPage(title, facts, { before: noticed, lead: ask.lead(facts), fields }, parts)
}

/** The field of a value beside a key. */
function besideField({ name, label, secret }: BesideKey): Html {
  const attributes = secret
    ? hidden
    : html`type="text" autocomplete="off" spellcheck="false" maxlength="500"`
  return html`<label for="beside.${name}">Its ${label}</label>
<input id="beside.${name}" name="beside.${name}" ${attributes} required>`
}

/** A page with a form: who asks, what it is about, and the fields. */
export function formPage(
  title: Html,
  asking: Asking,
  { before, lead, fields }: { readonly before: Html; readonly lead: Html; readonly fields: Html },
  { token, action, status, fault }: FormParts,
): Page {
  const { owner, name, service, now, expires, alone } = asking
  const who = [
    owner.tenant,
    ...(owner.user ? [`user ${owner.user}`] : []),
    ...(owner.agent ? [`agent ${owner.agent}`] : []),
  ].join(', ')
  const main = html`<h1>${title}</h1>
${fault === undefined ? '' : html`<p class="fault" role="alert" id="fault"><strong>Not taken.</strong> ${fault}.</p>`}
${before}
<dl>
<div><dt>Asked for by</dt><dd>the agent of ${name === undefined ? who : `${name} (${who})`}</dd></div>
<div><dt>Service</dt><dd>${address(service)}</dd></div>
${
  Number.isFinite(expires)
    ? html`<div><dt>Open until</dt><dd>${time(expires)} <span>(${minutes(expires - now)})</span></dd></div>`
    : ''
}
</dl>
${lead}
<form method="post" action="${action}">
<input type="hidden" name="form" value="${token}">
${fields}
</form>
<p class="small">${alone ? 'Did you not expect this page? Close it' : 'Did you not expect this? Leave it'}: nothing happens then.</p>`
  return { status, title: fault === undefined ? title : html`Not taken: ${title}`, main }
}

/** The last page: it was taken. What came of it is said, as far as it is known. */
export function answered(outcome: Outcome, { need, service, alone }: Facts): Page {
  const taken = {
    'paste-key': 'The key was taken and is shown to nobody.',
    'open-mail': 'The link was taken.',
    'give-email': 'The address was taken.',
    'open-link': 'The agent goes on.',
    'enter-code': 'The agent looks again.',
    'read-code': 'The code was taken.',
  }[need.kind]
  const failed = outcome.status === 'refused'
  const main = failed
    ? html`<h1>It was taken, but it did not work</h1>
<p>${outcome.reason}</p>
<p>There is nothing more to do here. The agent has been told.</p>`
    : html`<h1>Thank you, that is all</h1>
<p>${outcome.status === 'pending' ? outcome.reason : taken}${outcome.status === 'ready' ? html` The agent can now use ${address(service)}.` : ''}</p>
${atEnd(alone)}`
  return { status: 200, title: failed ? html`Not done` : html`Done`, main }
}

export function atEnd(alone: boolean): Html {
  return alone
    ? html`<p>You can close this page. The link that led here does not work any more.</p>`
    : html``
}

const plain = {
  unknown: [404, 'There is no such page', 'Was the link copied whole? If so, ask for a new one.'],
  gone: [
    410,
    'This link is of no use any more',
    'It was used, has expired, was tried too often, or what it asked for is not needed any more. If something is still needed, ask for a new link.',
  ],
  closed: [
    403,
    'Please open the link again',
    'This page opens only by the link that you were given, in a browser that accepts its cookie.',
  ],
  foreign: [
    403,
    'This form came from somewhere else',
    'Nothing was taken. Open the link that you were given and use the form there.',
  ],
  'not-a-form': [415, 'This is no form', 'Nothing was taken.'],
  'wrong-method': [405, 'Nothing is shown here', 'This address only takes the form.'],
  misdirected: [
    421,
    'This page has another address',
    'It is not shown under this one. Open the link as it was given to you.',
  ],
  moved: [303, 'One moment', ''],
} as const

export function plainPage(
  kind: keyof typeof plain,
  headers: Readonly<Record<string, string>> = {},
  back?: string,
): Response {
  const [status, title, text] = plain[kind]
  const main = html`<h1>${title}</h1><p>${text}</p>
${back === undefined ? '' : html`<p><a href="${back}">Back to the page</a></p>`}`
  return documentOf({ status, title: html`${title}`, main }, headers)
}

function page({ url }: PersonNeed): Html {
  return (url && link(url)) || html`the page of the service`
}
