import type { CredentialView } from '@authmd/core'
import { address, type Html, hostOf, html, joined, link, ownLine } from '@authmd/core/pages'
import { ago } from './ago.ts'
import type { WidePage } from './layout.ts'
import { nameOf, type Whose } from './person.ts'
import { type Live, livePart } from './waiting-page.ts'

/** The credentials of one owner, the newest first. */
export interface Held {
  readonly whose: Whose
  readonly credentials: readonly CredentialView[]
}

const states = {
  active: 'in use',
  invalid: 'refused by the service',
  revoking: 'being revoked',
  revoked: 'revoked',
  forgotten: 'deleted here',
} as const

const isOver = ({ state }: CredentialView) => state === 'revoked' || state === 'forgotten'

/** What is held, by owner and service, and below it what has ended. */
export function credentialsPage(
  held: readonly Held[],
  root: string,
  now: number,
  live: Live,
): WidePage {
  const count = held.flatMap(({ credentials }) => credentials.filter((one) => !isOver(one))).length
  const said = count === 1 ? 'One credential is held.' : `${count} credentials are held.`
  const main = html`<h1>Credentials</h1>
${livePart(
  live,
  'Credentials',
  said,
  joined(
    held.map((one) => ofOwner(one, root, now, held.length > 1)),
    '\n',
  ),
)}`
  return { status: 200, title: html`Credentials`, main, wide: true }
}

function ofOwner({ whose, credentials }: Held, root: string, now: number, several: boolean): Html {
  const card = (one: CredentialView) => {
    const end = isOver(one) ? '' : `${root}/credentials/${whose.tag}/${one.handle}/revoke`
    return html`<article><h4><code>${one.handle}</code></h4>${facts(one, now)}${
      end === ''
        ? ''
        : html`<p><a class="button no" href="${end}">${doing(one)} <span class="hidden">${one.handle}</span></a></p>`
    }</article>`
  }
  const inUse = credentials.filter((one) => !isOver(one))
  const over = credentials.filter(isOver)
  const services = [...new Set(inUse.map(({ service }) => service))].sort()
  const groups = services.map(
    (service) => html`<h3>${hostOf(service)}</h3>
${joined(inUse.filter((one) => one.service === service).map(card), '\n')}`,
  )
  const none = html`<p class="none">Nothing is held.</p>`
  const ended = html`<details id="over-${whose.tag}"><summary>${String(over.length)} ended</summary>
${joined(
  over.map((one) => html`<h3>${hostOf(one.service)}</h3>${card(one)}`),
  '\n',
)}</details>`
  const title = several ? nameOf(whose.owner) : 'By service'
  return html`<section><h2>${title}</h2>
${groups.length === 0 ? none : joined(groups, '\n')}${over.length === 0 ? '' : ended}</section>`
}

function doing({ shared, state }: CredentialView): string {
  if (shared) return 'Give back'
  return state === 'revoking' ? 'Go on with revoking' : 'Revoke'
}

/** What is known of a credential. Its secret is not among it, nor could it be. */
export function facts(one: CredentialView, now: number): Html {
  const { kind, state, issuedAt, lastUsedAt, audience, method, shared, orphan, parent } = one
  const rows: readonly (readonly [string, string | Html])[] = [
    ['State', html`<span class="state ${state}">${states[state]}</span>`],
    ['What it is', ownLine(kind, 100)],
    ['Made', ago(issuedAt, now)],
    ['Last used', lastUsedAt === undefined ? 'never' : ago(lastUsedAt, now)],
    ['Is sent to', joined(audience.map(address), '<br>')],
    ['Got by', ownLine(method, 100)],
    ...(parent === undefined ? [] : [['Made with', html`<code>${parent}</code>`] as const]),
    ...(shared === undefined
      ? []
      : [
          [
            'Shared by',
            `${shared.by ? nameOf(shared.by) : 'another owner'}, to ${shared.verbs.join(' and ')}`,
          ] as const,
        ]),
    ...(orphan === undefined
      ? []
      : [
          [
            'May also exist',
            html`${ownLine(orphan.what, 300)} ${(orphan.url && link(orphan.url)) || ''}`,
          ] as const,
        ]),
  ]
  return html`<dl>${joined(
    rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`),
    '',
  )}</dl>`
}
