import type { Fact, Statement } from '@authmd/core/reading'
import { nowhere } from '../document.ts'
import type { Document, Facts, Rule } from '../facts.ts'
import {
  givesCredential,
  isDenied,
  isOAuth,
  leavesToMetadata,
  lineFrom,
  openBlock,
  says,
  section,
  stated,
  top,
} from '../said.ts'
import { keyInUrl } from './endpoints.ts'

/** Metadata says what a text on OAuth may leave out. */
function inMetadata({ servers }: Facts, name: string): boolean {
  return servers.some(({ json }) => typeof json?.[name] === 'string')
}

const ending =
  /revo(?:k|c)|rotat|regenerat|invalidat|expir|sign(?:ing)? out|log(?:ging)? out|(?:delet|disabl)\w+ (?:it\b|them\b|(?:the |a |your |that |this |old )?(?:api )?(?:key|token|credential|account|agent))|\b(?:keys?|tokens?|credentials?)\b[^.]{0,30}\b(?:deleted|disabled|removed)\b|widerruf|schlüssel[^.]{0,40}lösch|lösch[^.]{0,40}schlüssel|révo|revog|\b(?:clave|chave|chiave|clé)\b[^.]{0,40}\b(?:elimin|borra|apag|supprim)|\b(?:elimin|borra|apag|supprim)\w*[^.]{0,40}\b(?:clave|chave|chiave|clé)\b/i

/** What a text would say, had it an end, is not missing. */
function shouldSay(facts: Facts): boolean {
  const { document } = facts
  return document !== undefined && openBlock(document) === undefined && givesCredential(facts)
}

/** Whether a statement tells how a credential ends. That one has ended, which an error says, is not how. */
function tellsEnd({ text, code, headings }: Statement): boolean {
  const words = (code ?? text).replace(/"\w*expir\w*"\s*:\s*null/gi, '')
  const failing = /\b4\d\d\b/.test(words) || /\berrors?\b|troubleshoot/i.test(headings.join(' '))
  return ending.test(failing ? words.replace(ended, '') : words)
}

/** "The key was revoked", not "keys are revoked at …". */
const ended =
  /\b(?:revoked|rotated|expired|invalidated|regenerated)\b(?!\s+(?:at|on|in|from|here|there|via)\b)/gi

/** Whether an example deletes what an agent holds, and not something else of the service. */
function deletesKey({ outline }: Document): boolean {
  return outline.statements.some(({ text, code }) =>
    /\bDELETE\b[^\n]{0,200}\/(?:[\w-]{0,60}(?:keys?|tokens?|credentials?|agents?|clients?|registrations?)(?:\/[^\s/]+)?|self|me|account)(?=[\s"'`?]|$)/m.test(
      code ?? text,
    ),
  )
}

/** A token of minutes is no loss. */
const lasting = /key|secret|credential|api_token|password|\bpat\b/i

/** A heading about how the credential is used; "use this page when" is none. */
const using =
  /\b(?:us(?:e|ing)|send|call)\b.*\b(?:key|token|credential|api|it)s?\b|\bcredential use\b|\bheaders?\b/i

/** A path of the API, or a variable that holds its address. */
const addressSaid = /(?:^|[\s`(])\/(?:api|v\d+|agent)\b|_(?:URL|HOST|ENDPOINT)\b/

export const lifecycleRules: readonly Rule[] = [
  {
    id: 'use-header-missing',
    severity: 'warning',
    source: 'auth.md, “Use the credential”; RFC 6750 §2.1',
    finds: 'no word on how the credential is sent',
    *check(facts) {
      const { document, resources } = facts
      if (!document || !shouldSay(facts)) return
      if (stated(document, 'header_scheme', 'basic_auth', 'key_beside').length > 0) return
      if (
        isOAuth(facts) ||
        keyInUrl(document) ||
        says(
          document,
          /\bbearer\b|\bbasic auth|\bheader\b|kopfzeile|en-tête|cabecera|cabeçalho|intestazione|signature|\bSDKs?\b|client librar/i,
        )
      )
        return
      if (resources.some(({ json }) => json?.bearer_methods_supported)) return
      yield {
        place: section(document, using),
        problem: 'The text does not say how a request carries the credential.',
        fix: 'Name the header, with an example.',
        text: 'Send the key with every request:\n\n    Authorization: Bearer <key>',
      }
    },
  },
  {
    id: 'use-address-missing',
    severity: 'warning',
    source: 'auth.md, “Use the credential”',
    finds: 'no word on where the credential may go',
    *check(facts) {
      const { document, resources } = facts
      if (!document || !shouldSay(facts)) return
      const said = stated(document, 'use_base_url', 'mcp_url', 'resource', 'request')
      if (said.some(({ value }) => !isNowhere(value))) return
      if (resources.some(({ json }) => json?.resource)) return
      if (stated(document, 'prm_url').length > 0) return
      const { outline, reading } = document
      const hosted = !isNowhere(document.url) || reading.origins.some((one) => !isNowhere(one))
      if (hosted && outline.statements.some(({ text, code }) => addressSaid.test(code ?? text)))
        return
      yield {
        place: section(document, using),
        problem: 'The text does not say which address the credential is for.',
        fix: 'State the base URL: a careful agent sends the credential nowhere else.',
        text: 'Base URL: `https://api.…/v1`',
      }
    },
  },
  {
    id: 'revocation-missing',
    severity: 'warning',
    source: 'auth.md, “Revocation”; RFC 7009',
    finds: 'no word on how a credential is ended',
    *check(facts) {
      const { document } = facts
      if (!document || !shouldSay(facts)) return
      if (inMetadata(facts, 'revocation_endpoint') || leavesToMetadata(facts)) return
      if (stated(document, 'revocation_uri').length > 0 || isDenied(document, /revo/i)) return
      if (document.outline.statements.some(tellsEnd) || deletesKey(document)) return
      yield {
        place: top(document),
        problem: 'The text does not say how a credential is ended.',
        fix: 'Say where a key is revoked, by whom, and how soon that counts.',
        text: '## Revocation\n\n* **revocation_uri (interactive):** <https://…> — a key that is deleted there stops working at once.',
      }
    },
  },
  {
    id: 'revocation-unadvertised',
    severity: 'warning',
    source: 'RFC 8414 §2 (revocation_endpoint); RFC 7009 §2',
    finds: 'tokens that metadata gives no endpoint to revoke',
    *check(facts) {
      for (const { url, json } of facts.servers) {
        if (typeof json?.token_endpoint !== 'string' || json.revocation_endpoint !== undefined)
          continue
        const { document } = facts
        const said =
          document && (stated(document, 'revocation_uri').length > 0 || says(document, ending))
        if (said) continue
        yield {
          place: { url, at: 'revocation_endpoint' },
          problem: 'Metadata names an endpoint for tokens and none that ends them.',
          fix: 'Offer revocation and name its endpoint, or say in the auth.md who ends a token.',
          text: '"revocation_endpoint": "https://…/oauth2/revoke"',
        }
      }
    },
  },
  {
    id: 'shown-once-unsaid',
    severity: 'hint',
    source: 'auth.md, “Register”',
    finds: 'a credential in an answer, and no word on whether it is shown again',
    *check({ document }) {
      if (!document) return
      const giving = stated(document, 'request').find(
        ({ request }) =>
          request?.method === 'POST' && lasting.test(request.answer?.credential ?? ''),
      )
      if (!giving || isShownOnceSaid(document)) return
      yield {
        place: { url: document.url, line: lineOfCredential(document, giving) },
        problem:
          'The answer holds a credential, and the text does not say whether it can be had again.',
        fix: 'Say so: an agent then stores it before anything else.',
        text: 'The key is shown this one time. Store it before you go on.',
      }
    },
  },
  {
    id: 'errors-missing',
    severity: 'hint',
    source: 'auth.md, “Errors”',
    finds: 'no word on what goes wrong',
    *check(facts) {
      const { document } = facts
      if (!document || !shouldSay(facts) || leavesToMetadata(facts)) return
      if (stated(document, 'error_status', 'error_code', 'error_shape').length > 0) return
      if (
        says(
          document,
          /\berrors?\b|\bfail(?:s|ed|ure)?\b|\b40[0139]\b|\b429\b|rejected|\binvalid\b/i,
        )
      )
        return
      yield {
        place: top(document),
        problem: 'The text does not say what an error looks like, or what to do about one.',
        fix: 'List the status codes with what an agent is to do.',
        text: '## Errors\n\n* `401`: the key is missing or no longer good. Throw it away and start again.\n* `403`: the key may not do this.\n* `429`: wait for `Retry-After`.',
      }
    },
  },
]

function isNowhere(url: string): boolean {
  return URL.parse(url)?.origin === new URL(nowhere).origin
}

/** The line of an answer in which its credential stands, else that of the answer. */
function lineOfCredential({ lines }: Document, { request, source }: Fact): number {
  const from = request?.answer?.line ?? source.line ?? 1
  const name = request?.answer?.credential ?? ''
  return lineFrom({ lines }, from, `"${name}"`, 41)
}

function isShownOnceSaid(document: Document): boolean {
  if (stated(document, 'request').some(({ request }) => request?.answer?.shownOnce)) return true
  return document.outline.statements.some(({ text, code }) =>
    /\b(?:only |exactly |just )?once\b|one time|\bein(?:ziges )?mal\b|\bun[ae]? (?:sola|seule|única) (?:vez|fois|volta)\b|not (?:be )?(?:shown|displayed|returned|retriev|recover)|never (?:shown|returned|displayed)|cannot (?:be )?(?:retriev|recover|shown|see)|store (?:it|the|this|your)|save (?:it|the|this|your)|persist|keep (?:it\b|(?:the|this|your) (?:\w+ )?(?:key|token|secret|credential|password))|re-?issu|(?:shown|displayed|returned|sent|see|read|get|fetch|retriev\w+|recover\w*)\b[^.]{0,30}\bagain\b/i.test(
      code ?? text,
    ),
  )
}
