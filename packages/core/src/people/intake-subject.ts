import type { Asking, FormParts } from './intake-pages.ts'
import type { Page } from './page.ts'

/** What a link leads to: a form, and what comes of it. */
export interface Subject {
  shown(parts: FormParts): Page
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
  | { readonly last: Page }

/** What a page says whatever it asks. */
export type Frame = Pick<Asking, 'name' | 'now' | 'expires' | 'alone'>
