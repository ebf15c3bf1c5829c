import type { GuardedAnswer } from '../net/transport.ts'
import { readDocument } from './markdown/read.ts'

/** Addresses of an auth.md or a sign-up text that an index (llms.txt, JSON) names. */
export function namedDocuments({ text, url }: GuardedAnswer): string[] {
  const links = text.trimStart().startsWith('{')
    ? Array.from(text.matchAll(/"(https?:\/\/[^"\s\\]{1,2048})"/g), (match) => match[1] ?? '')
    : readDocument(text, { url }).links
  const named = links.filter((link) => URL.canParse(link) && rank(link) < 2)
  return [...new Set(named)].sort((a, b) => rank(a) - rank(b))
}

function rank(link: string): number {
  const { pathname } = new URL(link)
  if (/\/auth\.md$/i.test(pathname)) return 0
  return /\b(?:auth|sign-?up|regist)[\w-]*\.(?:md|txt)$/i.test(pathname) ? 1 : 2
}
