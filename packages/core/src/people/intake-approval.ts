import type { Action, TermsText } from '../consent/action.ts'
import type { Consent } from '../consent/ledger.ts'
import { AuthError } from '../errors.ts'
import { type Html, html, joined } from './intake-html.ts'
import { atEnd, formPage } from './intake-pages.ts'
import type { Frame, Subject, Taken } from './intake-subject.ts'
import { hostOf, link, lookAlikes, type Page, time } from './page.ts'

interface ApprovalParts {
  readonly consent: Consent
  readonly decide: (approve: boolean) => Promise<unknown>
}

/** The page on which a person says yes or no to an action. */
export function approvalSubject({ consent, decide }: ApprovalParts, frame: Frame): Subject {
  const { action } = consent
  const { owner, service } = action
  return {
    shown(form) {
      const lead = html`<p>The agent asks to do exactly this, once:</p>
${exactly(action)}
<p>If you approve, the agent may do this once until ${time(consent.expiresAt)}, and nothing else. If you do not,
nothing is done, and for ten minutes it cannot ask you for the same again.</p>`
      const fields = html`<button name="decision" value="approve">Approve</button>
<button name="decision" value="deny" class="no">Do not approve</button>`
      const asking = { ...frame, owner, service }
      const title = html`May the agent do this at ${hostOf(service)}?`
      return formPage(title, asking, { before: html``, lead, fields }, form)
    },

    async take(fields): Promise<Taken> {
      const said = fields.getAll('decision')
      const approve = said.length === 1 && said[0] === 'approve'
      if (!approve && (said.length !== 1 || said[0] !== 'deny')) {
        return { fault: 'Press one of the two buttons', counts: true }
      }
      try {
        await decide(approve)
      } catch (error) {
        // Somebody else was faster, or it has expired just now.
        if (!AuthError.isInstance(error) || error.code !== 'invalid_input') throw error
        return { fault: 'This was decided already', counts: false }
      }
      return { last: decided(approve, frame.alone) }
    },
  }
}

/** An action with all that a person must know to decide; the service itself stands elsewhere. */
export function exactly({ service, effects, summary, firstTime }: Action): Html {
  // The first line is the service.
  const [, ...lines] = summary.split('\n')
  const texts = effects.flatMap((one) => (one.kind === 'accept-terms' ? one.texts : []))
  return html`<ul>${joined(
    lines.map((line) => html`<li>${line}</li>`),
    '\n',
  )}</ul>${texts.length === 0 ? '' : toRead(texts)}
${firstTime ? html`<p>This is the first time: nothing has been held at ${hostOf(service)} before.</p>` : ''}
${lookAlikes([service, summary])}`
}

function toRead(texts: readonly TermsText[]): Html {
  const items = texts.map(({ url, textHash }) => {
    const unread = textHash ? '' : html` <span>(its text could not be read by the agent)</span>`
    return html`<li>${link(url) ?? url}${unread}</li>`
  })
  return html`<p>What you would accept:</p>
<ul>${joined(items, '\n')}</ul>`
}

function decided(approve: boolean, alone: boolean): Page {
  const title = approve ? html`Approved` : html`Not approved`
  const said = approve
    ? 'The agent may do this once, within the next minutes, and nothing else.'
    : 'Nothing is done. For ten minutes the agent cannot ask you for the same again.'
  return {
    status: 200,
    title,
    main: html`<h1>${title}</h1>
<p>${said}</p>
${atEnd(alone)}`,
  }
}
