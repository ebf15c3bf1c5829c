import { html } from 'hono/html'
import { type Html, page } from '../page.ts'
import type { Attempt } from './state.ts'

export function loginPage(returnTo: string, problem?: string): Html {
  return page(
    'Sign in',
    html`${problem === undefined ? '' : html`<p role="alert">${problem}</p>`}
<form method="post" action="/login">
<input type="hidden" name="return_to" value="${returnTo}">
<label>Mail address <input name="email" type="email" required autofocus></label>
<button>Sign in</button>
</form>
<p>In the sandbox nobody checks whose address it is, and an unknown one gets an account.</p>`,
  )
}

/** The page behind a mailed link, whose script asks for the code. */
export function linkPage(attempt: Attempt, challenge: string): Html {
  const asked = JSON.stringify({ claim_attempt_token: attempt.token })
  return page(
    'An agent asks for access',
    html`<p>It wants to act for ${attempt.email}. If you know it, read it this code:</p>
<p><output id="user-code" data-challenge="${challenge}" data-body="${asked}">…</output></p>
<script type="module">
const place = document.getElementById('user-code')
const { challenge: url, body } = place.dataset
const headers = { 'content-type': 'application/json' }
const answer = await (await fetch(url, { method: 'POST', headers, body })).json()
place.textContent = answer.challenge ?? answer.message
</script>`,
  )
}

/** What a person is told before deciding. */
export interface Asked {
  service: string
  provider?: string
  advisories: readonly string[]
}

function asking(attempt: Attempt, { service, provider, advisories }: Asked) {
  return html`<p>An agent ${provider === undefined ? '' : html`of <b>${provider}</b> `}wants to use
${service} as ${attempt.email}.</p>
${advisories.map((advisory) => html`<p data-advisory="${advisory}">${advisoryTexts[advisory]}</p>`)}`
}

const advisoryTexts: Readonly<Record<string, string>> = {
  first_time_provider: 'This provider has not asked for you before.',
  first_time_account: 'You have never let an agent in here before.',
}

/** Where the person types the code that the agent shows. */
export function typePage(
  attempt: Attempt,
  action: string,
  asked: Asked,
  more: { refusable: boolean; typed?: string; problem?: string },
): Html {
  return page(
    'An agent asks for access',
    html`${asking(attempt, asked)}
${more.problem === undefined ? '' : html`<p role="alert">${more.problem}</p>`}
<form method="post" action="${action}">
<input type="hidden" name="claim_attempt_token" value="${attempt.token}">
<label>The code that your agent shows <input name="user_code" inputmode="numeric" value="${more.typed ?? ''}" autofocus></label>
<button>Confirm</button>
${more.refusable ? html`<button name="decision" value="refuse">Refuse</button>` : ''}
</form>`,
  )
}

/** Where the person confirms and then is told the code. */
export function confirmPage(attempt: Attempt, action: string, asked: Asked): Html {
  return page(
    'An agent asks for access',
    html`${asking(attempt, asked)}
<form method="post" action="${action}">
<input type="hidden" name="claim_attempt_token" value="${attempt.token}">
<button>Confirm</button>
</form>`,
  )
}

export function codePage(code: string): Html {
  return page(
    'Read this code to your agent',
    html`<p><output id="user-code">${code}</output></p>
<p>Give it to nobody else.</p>`,
  )
}
