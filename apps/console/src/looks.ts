import { Html } from '@authmd/core/pages'

/** What the console needs beyond the looks of a single form. */
export const looks: Html = new Html(`
.skip { position: absolute; left: -999rem; }
.skip:focus { left: .5rem; top: .5rem; padding: .5rem 1rem; background: var(--card); z-index: 1; }
body > header { background: var(--card); border-bottom: 1px solid var(--line); }
body > header > div { max-width: 60rem; margin: 0 auto; padding: .5rem 1.25rem; display: flex; flex-wrap: wrap;
  align-items: center; gap: .25rem 1.5rem; }
body > header strong { overflow-wrap: anywhere; }
nav ul { display: flex; flex-wrap: wrap; gap: 0 1.25rem; margin: 0; padding: 0; list-style: none; }
nav li + li { margin: 0; }
nav a { display: inline-flex; align-items: center; min-height: 2.75rem; text-decoration: none; }
nav a[aria-current] { font-weight: 600; color: var(--ink); box-shadow: inset 0 -.2rem var(--act); }
.who { display: flex; flex-wrap: wrap; align-items: center; gap: 0 .75rem; color: var(--soft); overflow-wrap: anywhere; }
@media (min-width: 44rem) { .who { margin-left: auto; } }
.who form { margin: 0; }
.who button, .who a { width: auto; min-height: 2.75rem; margin: 0; padding: .25rem .9rem; }
main:has(> .wide) { max-width: 60rem; }
@media (min-width: 44rem) {
  main:has(> .wide) { margin: 0 auto; padding: 1.5rem 1.25rem; background: transparent; border: 0; }
}
h2 { font-size: 1.15rem; line-height: 1.3; margin: 1.75rem 0 .75rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem; overflow-wrap: anywhere; }
h4 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
article { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.1rem;
  margin: 0 0 1rem; }
article h3 { margin-top: 0; }
article dl { border: 0; padding: 0; margin: .25rem 0 .5rem; }
article > :last-child { margin-bottom: 0; }
.button { display: inline-flex; align-items: center; justify-content: center; min-height: 3rem; padding: .5rem 1.2rem;
  font-weight: 600; color: var(--on-act); background: var(--act); border-radius: .4rem; text-decoration: none; }
.button.no { color: var(--ink); background: transparent; border: 1px solid var(--soft); }
.state { display: inline-block; padding: .05rem .55rem; border: 1px solid var(--soft); border-radius: 1rem;
  font-size: .875rem; font-weight: 400; }
.state.active { border-color: var(--act); }
.state.invalid, .state.revoking { color: var(--fault); border-color: var(--fault); }
main form + p { margin-top: 1.25rem; }
.none { color: var(--soft); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
details { margin: 1rem 0; }
summary { min-height: 2.75rem; padding: .6rem 0; cursor: pointer; color: var(--act); }
.filters { display: grid; grid-template-columns: minmax(0, 1fr); gap: .75rem 1rem; margin: 0 0 1.5rem; }
@media (min-width: 34rem) { .filters { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
@media (min-width: 60rem) { .filters { grid-template-columns: 1fr 1.9fr 1fr 1fr auto; align-items: end; } }
.filters label { margin-bottom: .2rem; }
.filters button { margin: 0; }
select { display: block; width: 100%; min-height: 3rem; padding: .6rem .75rem; font: inherit; color: inherit;
  background: var(--card); border: 1px solid var(--soft); border-radius: .4rem; }
.filters input:not([type=hidden]) { font-family: inherit; }
.history { list-style: none; padding: 0; }
.history li { background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .9rem; }
.history li + li { margin-top: .5rem; }
.history p { margin: 0; }
.history .small { margin: .15rem 0 0; }
`)

/**
 * Shows what is new without being asked, and locks the page when the session has ended. Without it everything
 * works as well, by loading a page again.
 */
export const script: Html = new Html(`
addEventListener('pageshow', (event) => { if (event.persisted) location.reload() })
const live = document.querySelector('[data-live]')
if (live) {
  const said = document.getElementById('said')
  let shown = live.dataset.live
  // What is told meanwhile is asked for afterwards, and what fails is asked for again.
  let asking = false
  let wanted = false
  async function renew() {
    wanted = true
    if (asking) return
    asking = true
    while (wanted) {
      wanted = false
      const done = await look().catch(() => false)
      if (done) continue
      wanted = true
      await new Promise((next) => setTimeout(next, 3000))
    }
    asking = false
  }
  async function look() {
    const answer = await fetch(location.href, { headers: { 'x-authmd-live': '1' } })
    // Whoever is not let in any more sees nothing of it any more.
    if (answer.status === 401 || answer.status === 403) {
      location.reload()
      return true
    }
    if (!answer.ok) return false
    // Without its head: the looks in it carry the word of another answer, and are here already.
    const text = await answer.text()
    const page = new DOMParser().parseFromString(text.slice(text.indexOf('<body>')), 'text/html')
    const next = page.querySelector('[data-live]')
    if (!next) return true
    const active = live.contains(document.activeElement) ? document.activeElement : null
    const at = active?.getAttribute('href')
    const part = active?.matches('summary') ? active.closest('details').id : null
    const open = [...live.querySelectorAll('details[open]')].map((one) => one.id)
    live.replaceChildren(...next.childNodes)
    for (const id of open) document.getElementById(id)?.setAttribute('open', '')
    if (at) [...live.querySelectorAll('a')].find((one) => one.getAttribute('href') === at)?.focus()
    if (part) document.getElementById(part)?.querySelector('summary').focus()
    shown = next.dataset.live
    document.title = next.dataset.title
    said.textContent = next.dataset.said
    return true
  }
  // A browser has few connections to one host: only the page that is looked at holds one.
  let source
  function listen() {
    source?.close()
    source = undefined
    if (document.hidden) return
    const one = source = new EventSource(live.dataset.from)
    one.addEventListener('message', (event) => { if (event.data !== shown) renew() })
    one.addEventListener('ended', () => { one.close(); location.reload() })
    // It was turned away: the page itself says why, or what turned it away is over in a while.
    one.addEventListener('error', () => {
      if (one !== source || one.readyState !== EventSource.CLOSED) return
      renew()
      setTimeout(() => { if (one === source) listen() }, 5000)
    })
  }
  document.addEventListener('visibilitychange', listen)
  listen()
}
`)
