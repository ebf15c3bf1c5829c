'use client'

import { useChat } from '@ai-sdk/react'
import type { AuthUIMessage } from '@authmd/ai-sdk'
import { DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses } from 'ai'
import { useEffect, useRef } from 'react'
import { Composer } from './composer.tsx'
import { Message } from './message.tsx'
import { NeedCard } from './need-card.tsx'
import { newestNeeds, suggestionFor } from './state.ts'

const transport = new DefaultChatTransport<AuthUIMessage>({ api: '/api/chat' })
const isAnswered = lastAssistantMessageIsCompleteWithApprovalResponses

/** The conversation, as the server kept it and as it goes on. */
export function Chat({ saved }: { saved: AuthUIMessage[] }) {
  const { messages, sendMessage, addToolApprovalResponse, status, stop, error } =
    useChat<AuthUIMessage>({ messages: saved, transport, sendAutomaticallyWhen: isAnswered })
  const busy = status === 'submitted' || status === 'streaming'
  const needs = newestNeeds(messages)
  const suggestion = suggestionFor(messages, needs)
  const end = useRef<HTMLDivElement>(null)

  // Answered just before the page was loaded anew: the answer has still to be acted on.
  const resumed = useRef(false)
  useEffect(() => {
    if (resumed.current || !isAnswered({ messages: saved })) return
    resumed.current = true
    void sendMessage()
  }, [saved, sendMessage])

  const parts = messages.reduce((sum, message) => sum + message.parts.length, 0)
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is new is what is to be seen.
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'end' })
  }, [parts, busy, needs.size])

  return (
    <>
      <header>
        <h1>authmd chat</h1>
        <p>The agent signs up for you and never sees a key. What binds you, it asks first.</p>
      </header>
      <main>
        <div role="log" aria-label="Conversation">
          {messages.map((message) => (
            <Message
              key={message.id}
              message={message}
              answer={(id, approved) => void addToolApprovalResponse({ id, approved })}
            />
          ))}
          {[...needs].map(({ id, data }) => (
            <NeedCard key={id} part={data} />
          ))}
          {messages.length === 0 && (
            <p className="empty">Nothing said yet. Ask for something that needs an account.</p>
          )}
        </div>
        {error && (
          <p role="alert" className="fault">
            That did not work: {error.message}. Nothing is lost; say “go on”.
          </p>
        )}
        <p role="status" className={busy ? 'busy' : 'hidden'}>
          {busy && (needs.size > 0 ? 'The agent waits for you' : 'The agent is at work')}
        </p>
        <div ref={end} className="end" />
      </main>
      <Composer
        busy={busy}
        suggestion={busy ? undefined : suggestion}
        send={(text) => void sendMessage({ text })}
        stop={() => void stop()}
      />
    </>
  )
}
