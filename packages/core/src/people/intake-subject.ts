import type { Asking, FormParts } from './intake-pages.ts'

/** What a link leads to: a form, and what comes of it. */
export interface Subject {
  shown(parts: FormParts): Response
  take(fields: URLSearchParams): Promise<Taken>
}

/** What came of a form: the last page, or what was wrong; `counts`: as one of the misses of the link. */
export type Taken =
  | { readonly fault: string; readonly counts: boolean }
  | { readonly last: (headers: Readonly<Record<string, string>>) => Response }

/** What a page says whatever it asks. */
export type Frame = Pick<Asking, 'name' | 'now' | 'expires'>
