import { useId, useRef } from 'react'
import { Step, type ToolPart } from './step.tsx'

interface Props {
  readonly part: ToolPart
  readonly answer: (approval: string, approved: boolean) => void
}

/** What the agent wants to do in the person's name, word for word as core has it on record. */
export function Approval({ part, answer }: Props) {
  const title = useId()
  const card = useRef<HTMLElement>(null)
  const { approval, state } = part
  if (approval === undefined) return null
  const [service = '', ...effects] = (approval.requestReason ?? '').split('\n')
  const decide = (approved: boolean) => {
    answer(approval.id, approved)
    // The buttons go; who pressed one by keyboard stays where they were.
    card.current?.focus()
  }
  const what = (
    <>
      <p className="service">{service.replace(/:$/, '')}</p>
      <ul>
        {effects.map((effect) => (
          <li key={effect}>{withLinks(effect)}</li>
        ))}
      </ul>
    </>
  )
  if (state !== 'approval-requested') {
    return (
      <article ref={card} className="card answered" aria-labelledby={title} tabIndex={-1}>
        <details>
          <summary>
            <h2 id={title}>
              {approval.approved ? 'You approved this, once' : 'You declined this'}
            </h2>
          </summary>
          {what}
        </details>
        <Step part={part} />
      </article>
    )
  }
  return (
    <article ref={card} className="card" aria-labelledby={title} tabIndex={-1}>
      <h2 id={title}>May the agent do this?</h2>
      {what}
      <div className="buttons">
        <button type="button" className="yes" onClick={() => decide(true)}>
          Approve
        </button>
        <button type="button" onClick={() => decide(false)}>
          Decline
        </button>
      </div>
    </article>
  )
}

/** What is agreed to can be read first. */
function withLinks(text: string) {
  return text.split(/(https?:\/\/[^\s,]*[^\s,.])/).map((piece, at) =>
    at % 2 === 0 ? (
      piece
    ) : (
      <a key={piece} href={piece} target="_blank" rel="noreferrer">
        {piece}
      </a>
    ),
  )
}
