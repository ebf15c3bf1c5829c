import type { Asking, FormParts } from './intake-pages.ts'

/** What a link leads to: a form, and what comes of it. */
export interface Subject {
  shown(parts: FormParts): Response
  take(fields: URLSearchParams): Promise<Taken>
}

/** What came of a form: the last page, or what was wrong; `counts`: as one of the misses of the link. */
export type Taken =
  | {
      readonly fault: string
      readonly counts: boolean
      /** It may be right all the same: the form lets the person say so. */
      readonly doubt?: boolean
    }
  | { readonly last: (headers: Readonly<Record<string, string>>) => Response }

/** What a page says whatever it asks. */
export type Frame = Pick<Asking, 'name' | 'now' | 'expires'>
