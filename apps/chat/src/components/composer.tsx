import { type FormEvent, type KeyboardEvent, useState } from 'react'

interface Props {
  readonly busy: boolean
  readonly suggestion: string | undefined
  readonly send: (text: string) => void
  readonly stop: () => void
}

export function Composer({ busy, suggestion, send, stop }: Props) {
  const [text, setText] = useState('')
  const submit = (event?: FormEvent) => {
    event?.preventDefault()
    if (text.trim() === '' || busy) return
    send(text.trim())
    setText('')
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    submit()
  }
  return (
    <footer>
      <form className="composer" onSubmit={submit}>
        {suggestion && (
          <button type="button" className="suggestion" onClick={() => send(suggestion)}>
            {suggestion}
          </button>
        )}
        <div className="line">
          <label htmlFor="say" className="hidden">
            Your message
          </label>
          <textarea
            id="say"
            rows={1}
            placeholder="Write to the agent"
            value={text}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={onKeyDown}
          />
          {busy ? (
            <button type="button" onClick={stop}>
              Stop
            </button>
          ) : (
            <button type="submit" className="yes" disabled={text.trim() === ''}>
              Send
            </button>
          )}
        </div>
      </form>
    </footer>
  )
}
