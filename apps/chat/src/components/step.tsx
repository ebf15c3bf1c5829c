import type { AuthUIMessage } from '@authmd/ai-sdk'
import { words } from './state.ts'

export type ToolPart = Extract<AuthUIMessage['parts'][number], { type: `tool-${string}` }>

const did: Readonly<Record<ToolPart['type'], string>> = {
  'tool-auth_discover': 'Find the way in',
  'tool-auth_register': 'Sign up',
  'tool-auth_claim': 'See it through',
  'tool-auth_use': 'Call the service',
  'tool-auth_revoke': 'Give the key up',
}

/** What the agent did, in a line; what it read of it, on demand. */
export function Step({ part }: { part: ToolPart }) {
  const { word, kind } = stateOf(part)
  const text = part.state === 'output-available' ? part.output.text : undefined
  const line = (
    <>
      <span className="did">{did[part.type]}</span> <span className={`pill ${kind}`}>{word}</span>
    </>
  )
  if (text === undefined) return <div className="step">{line}</div>
  return (
    <details className="step">
      <summary>{line}</summary>
      <pre>{text}</pre>
    </details>
  )
}

function stateOf(part: ToolPart): { word: string; kind: 'good' | 'bad' | 'wait' } {
  switch (part.state) {
    case 'output-available': {
      const { outcome, error } = part.output
      if (outcome === undefined) return { word: error?.code ?? 'failed', kind: 'bad' }
      const { status } = outcome
      if (status === 'ended') return { word: outcome.verdict, kind: 'good' }
      const waits = ['pending', 'needs_person', 'needs_consent', 'uncertain'].includes(status)
      return { word: words[status], kind: status === 'refused' ? 'bad' : waits ? 'wait' : 'good' }
    }
    case 'output-denied':
      return { word: 'declined', kind: 'bad' }
    case 'output-error':
      return { word: 'failed', kind: 'bad' }
    default:
      return { word: 'at work', kind: 'wait' }
  }
}
