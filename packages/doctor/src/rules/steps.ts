import type { Statement } from '@authmd/core/reading'
import type { Facts, Rule } from '../facts.ts'
import { quote } from '../quote.ts'
import { isOAuth, isOpen, isPageForPeople, lineFrom, methodsOf, stated, wordsOf } from '../said.ts'

const contact =
  /\b(?:contact|e-?mail|write to|reach out to|talk to|get in touch with|ask)\b[^.]{0,40}(?:\b(?:us|sales|support|our team|the team|team|partnerships?)\b|[\w.+-]+@[\w-]+\.\w+)|\b(?:book|schedule|request) a (?:call|demo|meeting)\b|\brequest access\b/i
const getting =
  /\b(?:regist(?:er|ration)|sign(?:ing)? up|access|credentials?|keys?|tokens?|account|onboard\w*|approv\w+)\b/i
const puzzle =
  /\b(?:re|h)captcha\b|\bturnstile\b|\bcaptcha\b[^.]{0,60}\b(?:browser|human|person|page|form|widget)\b|\b(?:browser|human|person|page|form)\b[^.]{0,60}\bcaptcha\b/i
const denied = /\b(?:no|not|nothing|without|never|nor|neither)\b[^.]{0,40}$/i
const person =
  /\b(?:user|human|person|people|mensch(?:en)?|nutzer(?:in)?|persona|pessoa|personne|utilisateur|usu[aá]rio|utente|operator|owner|customer|admin\w*|developer|someone|browser|sign(?:s|ed)?[- ]in|log(?:s|ged)? in|dashboard|portal|console)\b/i

const browsing =
  /\b(?:open|click|log ?in|sign ?in|fill (?:in|out)|press)\b[^.]{0,60}\b(?:browser|page|form|button|dashboard|portal|console)\b|\bin (?:a|the|your) browser\b/i

const making =
  /\b(?:creat|generat|mint|mak|issu)\w*\b[^.]{0,60}\bkeys?\b|\bkeys?\b[^.]{0,60}\b(?:created|generated|minted|made|issued)\b/i

export const stepRules: readonly Rule[] = [
  {
    id: 'step-contact',
    severity: 'warning',
    source: 'auth.md, “Register”',
    finds: 'a way in that goes through somebody’s inbox, and no other',
    *check(facts) {
      const { document } = facts
      if (!document || hasOwnWay(facts)) return
      const found = wordsOf(document).find(
        ({ text, kind, headings }) =>
          kind !== 'heading' &&
          says(text, contact) &&
          getting.test(headings.length > 1 ? headings.slice(1).join(' ') : text) &&
          !/enterprise|quota|limits?\b|questions?/i.test(text),
      )
      if (!found) return
      yield {
        place: placeOf(facts, found),
        problem: `The only way in is to write to somebody, where an agent stops: ${quote(found.text)}`,
        fix: 'Give a page where a person gets a key at once, or say that access is granted by hand and how long that takes.',
      }
    },
  },
  {
    id: 'step-captcha',
    severity: 'warning',
    source: 'auth.md, “Register”',
    finds: 'a puzzle that is made to keep programs out, on the way that programs are to take',
    *check(facts) {
      const { document } = facts
      if (!document) return
      const found = wordsOf(document).find(
        ({ text }) => says(text, puzzle) && !/\bagent solves\b/i.test(text),
      )
      if (
        !found ||
        /interactive|human|person|user|portal|dashboard/i.test(found.headings.join(' '))
      )
        return
      yield {
        place: placeOf(facts, found),
        problem: `An agent cannot take this step: ${quote(found.text)}`,
        fix: 'Leave the puzzle out for agents, or say that a person takes this step and what they bring back.',
      }
    },
  },
  {
    id: 'step-browser',
    severity: 'warning',
    source: 'auth.md, “Register”, “Claim”',
    finds: 'a step that is called programmatic and happens in a browser',
    *check(facts) {
      const { document } = facts
      for (const { mode, name, words, line } of document?.labels ?? []) {
        if (!mode?.includes('programmatic') || name === 'events_endpoint') continue
        if (!says(words, browsing)) continue
        yield {
          place: { url: document?.url ?? '', line },
          problem: `${name} is called programmatic, and its words describe a browser: ${quote(words)}`,
          fix: 'Call it interactive, or name the endpoint that a program can call.',
          text: `* **${name} (interactive):** …`,
        }
      }
    },
  },
  {
    id: 'claim-address-missing',
    severity: 'hint',
    source: 'auth.md, “Claim the credential”',
    finds: 'a page where a person makes a key, without its address',
    *check({ document }) {
      const method = document && stated(document, 'method', 'claim_uri', 'register_uri')
      const named = method?.find(({ value }) => value === 'api-key-portal')
      if (!document || !named || document.labels.some(({ name }) => name === 'claim_uri')) return
      // A page to register at, or to sign in at, leads on to the keys.
      const known = method?.some(
        ({ name, mode }) =>
          name === 'claim_uri' || (name === 'register_uri' && mode !== 'programmatic'),
      )
      const { lines, url } = document
      const leads = lines.some((one) =>
        one.match(/https:\/\/[^\s)>\]`"']*[^\s)>\]`"'.,;:]/g)?.some(isPageForPeople),
      )
      if (known || leads) return
      const from = wordsOf(document).find(({ text }) => making.test(text))?.line
      yield {
        place: {
          url,
          line: from ? lineFrom(document, from, /\bkeys?\b/i) : (named.source.line ?? 1),
        },
        problem: 'A person makes a key on a page, and the text does not say where that is.',
        fix: 'Give its address, so that an agent can pass it on.',
        text: '* **claim_uri (interactive):** <https://…> — a person signs in there and makes a key.',
      }
    },
  },
  {
    id: 'step-person-unsaid',
    severity: 'hint',
    source: 'auth.md, “Claim the credential”',
    finds: 'a page for people as the only way in, and no word on who goes there',
    *check(facts) {
      const { document } = facts
      if (!document || isOpen(facts)) return
      const pages = stated(document, 'claim_uri', 'register_uri')
      const [first] = pages
      if (!first || pages.some(({ mode }) => mode !== 'interactive') || isOAuth(facts)) return
      if (wordsOf(document).some(({ text }) => person.test(text))) return
      yield {
        place: { url: document.url, line: first.source.line ?? 1 },
        problem:
          'The key comes from a page, and the text does not say that a person is needed there.',
        fix: 'Say who goes there and what they bring back, so that an agent asks instead of trying.',
        text: 'Ask the person you work for to make a key there and to put it into your secret store.',
      }
    },
  },
]

/** The words, unless what stands before them denies it. */
function says(text: string, words: RegExp): boolean {
  const found = words.exec(text)
  return found !== null && !denied.test(text.slice(0, found.index))
}

/** A registration, a page for keys, or OAuth that anybody can start. */
function hasOwnWay(facts: Facts): boolean {
  const { document, servers } = facts
  if (!document) return true
  const methods = methodsOf(facts)
  const own = [
    'oauth-authcode',
    'oauth-dcr',
    'device-flow',
    'anonymous',
    'service_auth',
    'identity_assertion',
    'id-jag',
    'api-key-portal',
    'x402',
    'magic-link',
    'bot-challenge',
  ]
  const places = stated(document, 'register_uri', 'claim_uri')
  const registers = servers.some(
    ({ json }) => json?.registration_endpoint !== undefined || json?.agent_auth !== undefined,
  )
  // What one writes to somebody for, OAuth then runs with.
  const byHand = wordsOf(document).some(
    ({ text }) =>
      /\bafter approval\b|\bonce approved\b|\bapproval\b/i.test(text) && getting.test(text),
  )
  if (byHand && places.length === 0 && !methods.has('oauth-dcr')) return false
  return places.length > 0 || registers || own.some((one) => methods.has(one))
}

function placeOf({ document }: Facts, { line }: Statement) {
  return { url: document?.url ?? '', line }
}
