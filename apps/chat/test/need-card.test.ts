import type { AuthPart } from '@authmd/ai-sdk'
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { NeedCard } from '../src/components/need-card.tsx'

const url = 'https://vendor.example/claim'

function cardFor(need: NonNullable<AuthPart['need']>): string {
  const part = { status: 'needs_person', registration: 'reg_1', need } as AuthPart
  return renderToStaticMarkup(createElement(NeedCard, { part }))
}

test('a code to type at the service is shown with the link, and nothing is handed over', () => {
  const card = cardFor({ kind: 'enter-code', text: 'Type the code there.', url, code: '<428117' })
  expect(card).toContain('<strong class="code">&lt;428117</strong>')
  expect(card).toContain(`href="${url}"`)
  expect(card).not.toContain('<form')
})

test('a code that a page shows is handed over on a page of its own: the card has no field for it', () => {
  const card = cardFor({ kind: 'read-code', text: 'The page shows a code.', url })
  expect(card).toContain('action="/hand-over"')
  expect(card).toContain('value="reg_1"')
  expect(card).toContain(`href="${url}"`)
  expect(card.match(/<input/g)).toHaveLength(1)
})
