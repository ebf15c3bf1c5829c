import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { defaultMethods } from '@authmd/core'
import { expect, test } from 'vitest'
import { read, root } from './pages.ts'

const ids = defaultMethods.map(({ id }) => id)

test('each method has its page, and the list of them names it', () => {
  const pages = readdirSync(join(root, 'docs/methods')).filter((name) => name !== 'index.md')
  expect(pages.sort()).toEqual(ids.map((id) => `${id}.md`).sort())
  const listed = [...read('docs/methods/index.md').matchAll(/^\| \[`([\w-]+)`\]\(\1\.md\)/gm)]
  expect(
    listed.map(([, id]) => id),
    'in the order that they are tried in',
  ).toEqual(ids)
})

test.each(ids)('%s: what it needs, what the person sees, what is stored, how it ends', (id) => {
  const text = read(`docs/methods/${id}.md`)
  expect(text).toMatch(new RegExp(`^# ${id}: `))
  const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)
  expect(headings).toEqual([
    'What it needs',
    'What the person sees',
    'What is stored',
    'How it ends',
  ])
})
