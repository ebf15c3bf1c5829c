/**
 * What our pages for people are made of, for a page of one's own around `auth.people.form`: HTML in which every value
 * is text, the document with its headers, and the checks of a form. An application wants `auth.people.intake` or
 * `@authmd/console`.
 */
export { sha256, toBase64Url } from './encoding.ts'
export { isLoopbackHost } from './net/url.ts'
export { exactly } from './people/intake-approval.ts'
export { Html, html, joined } from './people/intake-html.ts'
export { equalTexts } from './people/intake-links.ts'
export { type FormParts, plainPage } from './people/intake-pages.ts'
export { crossSite, hostAsked, isForm, readForm } from './people/intake-request.ts'
export type { Subject, Taken } from './people/intake-subject.ts'
export {
  type Around,
  address,
  documentOf,
  hostOf,
  link,
  lookAlikes,
  minutes,
  type Page,
  time,
} from './people/page.ts'
export { ownLine, serviceWords } from './tools/service-text.ts'
