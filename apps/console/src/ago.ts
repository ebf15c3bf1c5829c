import { type Html, html, time } from '@authmd/core/pages'

const minute = 60_000
const units = [
  ['day', 24 * 60 * minute],
  ['hour', 60 * minute],
  ['minute', minute],
] as const

/** How long ago something was, and when. */
export function ago(ms: number, now: number): Html {
  const past = Math.max(0, now - ms)
  const [unit, size] = units.find(([, size]) => past >= size) ?? ['', 1]
  const count = Math.floor(past / size)
  const said = unit === '' ? 'just now' : `${count} ${unit}${count === 1 ? '' : 's'} ago`
  return html`${said} <span>(${time(ms)})</span>`
}
