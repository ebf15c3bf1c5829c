import type { AuditRecord, Owner } from '@authmd/core'
import { type Html, html, joined, ownLine, time } from '@authmd/core/pages'
import { type Found, kinds, nextSkip, queryOf, type Wanted } from './history.ts'
import type { WidePage } from './layout.ts'
import { nameOf } from './person.ts'

/** What happened, the newest first, and what to look for among it. */
export function historyPage(
  found: Found,
  wanted: Wanted,
  path: string,
  several: boolean,
): WidePage {
  const { records, more, stopped } = found
  const options = Object.entries(kinds).map(
    ([kind, label]) =>
      html`<option value="${kind}"${kind === wanted.kind ? html` selected` : ''}>${label}</option>`,
  )
  const items = records.map((one) => item(one, several))
  const older = `${path}?${queryOf(wanted, nextSkip(wanted))}`
  const main = html`<h1>History</h1>
<form class="filters" method="get" action="${path}" role="search">
<div><label for="kind">What</label><select id="kind" name="kind">${joined(options, '')}</select></div>
<div><label for="text">Service, credential or person</label><input id="text" name="text" type="search" maxlength="200" autocomplete="off" spellcheck="false" value="${wanted.text}"></div>
<div><label for="from">From (UTC)</label><input id="from" name="from" type="date" value="${wanted.from}"></div>
<div><label for="to">To, and including</label><input id="to" name="to" type="date" value="${wanted.to}"></div>
<button>Show</button>
</form>
${records.length === 0 ? html`<p class="none" role="status">${wanted.skip > 0 ? 'There is nothing older.' : 'Nothing was found.'}</p>` : html`<ol class="history">${joined(items, '\n')}</ol>`}
${stopped ? html`<p class="notice">There may be older ones: it was not looked further back. Name the days.</p>` : ''}
${more ? html`<p><a class="button no" href="${older}">Older</a></p>` : ''}
${wanted.skip > 0 ? html`<p><a href="${path}?${queryOf(wanted, 0)}">Back to the newest</a></p>` : ''}`
  return { status: 200, title: html`History`, main, wide: true }
}

function item(record: AuditRecord, several: boolean): Html {
  const { what, who, channel, consent, forWhom } = record
  const about = [
    ...(several && forWhom ? [`for ${nameOf(forWhom)}`] : []),
    ...(who === undefined || record.event === 'decision' ? [] : [`agreed to by ${who}`]),
    ...(channel === undefined ? [] : [`by way of ${channel}`]),
    ...(what.credential === undefined ? [] : [what.credential]),
    ...(what.registration === undefined ? [] : [what.registration]),
    ...(consent === undefined ? [] : [consent]),
  ]
  return html`<li><p>${ownLine(sentence(record), 600)}</p>
<p class="small">${time(Date.parse(record.time) || 0)}${about.map((one) => ` · ${ownLine(one, 200)}`).join('')}</p></li>`
}

function sentence({ event, what, who = 'somebody', outcome = {} }: AuditRecord): string {
  const service = what.service ?? 'a service'
  const { status = '', code = '', httpStatus } = outcome as Readonly<Record<string, string>>
  const came = [status.replaceAll('_', ' '), code && `(${code.replaceAll('_', ' ')})`]
  const result = came.filter((one) => one !== '').join(' ')
  switch (event) {
    case 'decision':
      return `${who} ${status || 'decided'}: ${doing(what)}`
    case 'redeemed':
      return `What was agreed to is done: ${what.verb} at ${service}`
    case 'settled':
      return `What came of what was agreed to: ${result}, ${what.verb} at ${service}`
    case 'verb':
      return `${what.verb} at ${service}: ${result}`
    case 'request':
      return `${what.request}: ${httpStatus ?? result}`
    case 'refresh':
      return `The access to ${service} was to be renewed: ${status}`
    case 'imported':
      return `A credential of ${service} was put into the vault`
    case 'shared':
      return `A credential of ${service} was shared with ${nameOf(what.to as Owner)}, to ${[what.verbs].flat().join(' and ')}`
    case 'unshared':
      return `A credential is not shared any more with ${nameOf(what.to as Owner)}`
    case 'ended':
      return `The secret of a credential of ${service} was deleted: ${verdictOf(outcome)}`
    case 'erased':
      return `All of this owner was deleted: ${what.records} records`
    case 'changed':
      return `${service} names other addresses than before: ${[what.changes].flat().join(' ')}`
    case 'unnotified':
      return 'Nobody could be told that a person is needed'
    default:
      return `${event} at ${service}`
  }
}

function verdictOf(outcome: object): string {
  return 'verdict' in outcome ? String(outcome.verdict) : 'unknown'
}

/** The effects of an action in short: the whole of them was before the person who decided. */
function doing({ verb, service, effects = [] }: AuditRecord['what']): string {
  const said = effects.flatMap((effect) => {
    const one = effect as Readonly<Record<string, unknown>>
    switch (one.kind) {
      case 'accept-terms': {
        const texts = Array.isArray(one.texts) ? one.texts : []
        return [`accept ${texts.map((text) => text?.url ?? text).join(' and ')}`]
      }
      case 'present-identity':
        return [`tell ${one.to} ${one.email ?? 'who the person is'}`]
      case 'create-credential':
        return [`make ${one.credential} at ${one.at}`]
      case 'unsafe-request':
      case 'safe-request':
        return [`${one.method} ${one.url}`]
      case 'first-contact':
        return [`ask ${one.domain} for the first time`]
      case 'revoke':
        return [`revoke ${one.credential}`]
      default:
        return []
    }
  })
  return `${verb} at ${service}${said.length === 0 ? '' : `: ${said.join('; ')}`}`
}
