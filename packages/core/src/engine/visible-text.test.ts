import { expect, test } from 'vitest'
import { visibleText } from './visible-text.ts'

test.each([
  ['<p>Be  kind.</p>\n<p>Pay.</p>', 'Be kind. Pay.'],
  ['a<!-- x > y -->b', 'a b'],
  ['a<SCRIPT>if (1 > 0) t="<p>"</Script >b', 'a b'],
  ['a<style>p > a {}</style><template><p>x</p></template>b', 'a b'],
  ['a<script>never closed', 'a'],
  ['a<!-- never closed', 'a'],
  ['a<p class="never closed', 'a'],
  ['no markup at all', 'no markup at all'],
  ['<html><body><div id="app"></div><script src="/app.js"></script></body></html>', ''],
])('of %j a reader sees %j', (html, text) => {
  expect(visibleText(html)).toBe(text)
})

test('a page made of beginnings is read to its end', () => {
  expect(visibleText('<script>'.repeat(100_000))).toBe('')
  expect(visibleText(`${'<'.repeat(500_000)}x`)).toBe('')
})
