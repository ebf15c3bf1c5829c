import type { AuthUIMessage } from '@authmd/ai-sdk'
import { Approval } from './approval.tsx'
import { Step } from './step.tsx'

interface Props {
  readonly message: AuthUIMessage
  readonly answer: (approval: string, approved: boolean) => void
}

export function Message({ message, answer }: Props) {
  return (
    <article className={message.role} aria-label={message.role === 'user' ? 'You' : 'Agent'}>
      {message.parts.map((part, at) => {
        // The place of a part in its message never changes.
        const key = `${at}-${part.type}`
        switch (part.type) {
          case 'text':
            return (
              <p key={key} className="text">
                {part.text}
              </p>
            )
          case 'tool-auth_discover':
          case 'tool-auth_register':
          case 'tool-auth_claim':
          case 'tool-auth_use':
          case 'tool-auth_revoke':
            return part.approval ? (
              <Approval key={key} part={part} answer={answer} />
            ) : (
              <Step key={key} part={part} />
            )
          default:
            return null
        }
      })}
    </article>
  )
}
