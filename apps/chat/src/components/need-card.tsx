import type { AuthPart } from '@authmd/ai-sdk'
import { useId } from 'react'

/** What only the person can do. What they hand over goes to a page of its own, never into the chat. */
export function NeedCard({ part }: { part: AuthPart }) {
  const title = useId()
  const { need, registration, notice } = part
  if (need === undefined) return null
  const there = need.kind === 'open-link' || need.kind === 'enter-code'
  const handsOver = !there && registration !== undefined
  return (
    <article className="card need" aria-labelledby={title}>
      <h2 id={title}>Your turn</h2>
      {notice && <p className="fault">{notice}</p>}
      <p>{need.text}</p>
      {need.code && (
        <p>
          Code to type there: <strong className="code">{need.code}</strong>
        </p>
      )}
      {need.until && (
        <p className="small">
          {/* The server's clock may be in another time zone. */}
          Good until{' '}
          <time suppressHydrationWarning>{new Date(need.until).toLocaleTimeString()}</time>
        </p>
      )}
      <div className="buttons">
        {handsOver && (
          <form method="post" action="/hand-over" target="_blank" rel="noopener">
            <input type="hidden" name="registration" value={registration} />
            <button type="submit" className="yes">
              Hand it over
            </button>
          </form>
        )}
        {need.url && (
          <a
            className={handsOver ? 'button' : 'button yes'}
            href={need.url}
            target="_blank"
            rel="noreferrer"
          >
            Open the page
          </a>
        )}
        {need.kind === 'open-mail' && (
          <a className="button" href="/mailbox" target="_blank" rel="noreferrer">
            Open your mail
          </a>
        )}
      </div>
    </article>
  )
}
