import type { PersonRequest } from '@authmd/core'
import { exactly, type Html, hostOf, html, joined, ownLine } from '@authmd/core/pages'
import type { WidePage } from './layout.ts'
import { nameOf, type Whose } from './person.ts'

export interface Waiting {
  readonly whose: Whose
  readonly request: PersonRequest
}

/** What the page tells a browser that keeps it up to date. */
export interface Live {
  readonly version: string
  /** Where the browser is told of a newer one. */
  readonly from: string
}

const doings = {
  'paste-key': 'Hand over a key',
  'open-mail': 'Hand over the link of a mail',
  'give-email': 'Give an address',
  'open-link': 'Do something at the service',
  'enter-code': 'Type a code at the service',
  'read-code': 'Hand over a code',
} as const

/** All that waits for the person: what is to be decided first. */
export function waitingPage(
  waiting: readonly Waiting[],
  root: string,
  owners: number,
  live: Live,
): WidePage {
  const shown = (kind: PersonRequest['kind']) =>
    waiting.filter(({ request }) => request.kind === kind).map((one) => item(one, root, owners > 1))
  const [decide, give] = [shown('consent'), shown('need')]
  const count = decide.length + give.length
  const said =
    count === 0
      ? 'Nothing waits for you.'
      : `${count} ${count === 1 ? 'thing waits' : 'things wait'} for you.`
  const title = count === 0 ? 'What waits for you' : `(${count}) What waits for you`
  const main = html`<h1>What waits for you</h1>
${livePart(
  live,
  title,
  said,
  html`${decide.length === 0 ? '' : html`<h2>To decide</h2>${joined(decide, '\n')}`}
${give.length === 0 ? '' : html`<h2>To hand over or to do</h2>${joined(give, '\n')}`}
${count > 0 ? '' : html`<p>When an agent needs you, it shows here by itself.</p>`}`,
)}`
  return { status: 200, title: html`${title}`, main, wide: true }
}

/** What a browser keeps up to date, and one sentence that says what is in it. */
export function livePart({ version, from }: Live, title: string, said: string, shown: Html): Html {
  return html`<p id="said" role="status" class="none">${said}</p>
<div data-live="${version}" data-from="${from}" data-title="${title}" data-said="${said}">
${shown}
</div>`
}

function item({ whose, request }: Waiting, root: string, several: boolean): Html {
  const { id = '', owner } = request
  const who = several ? html`<p class="none">For ${nameOf(owner)}</p>` : ''
  const path = (kind: string) => `${root}/waiting/${whose.tag}/${id}/${kind}`
  if (request.kind === 'consent') {
    const { action } = request
    const host = hostOf(action.service)
    return html`<article><h3>May the agent do this at ${host}?</h3>
${who}${exactly(action)}
<p><a class="button" href="${path('consent')}">Decide <span class="hidden">about ${host}</span></a></p></article>`
  }
  const { need, service = '', notice } = request
  const host = hostOf(service)
  return html`<article><h3>${doings[need.kind]}: ${host}</h3>
${who}<p>${ownLine(need.text)}</p>
${notice === undefined ? '' : html`<p class="notice">${ownLine(notice)}</p>`}
<p><a class="button" href="${path(need.kind)}">Go on <span class="hidden">with ${host}</span></a></p></article>`
}
