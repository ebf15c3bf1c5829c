import { AuthError } from '../errors.ts'
import { cleanSecret } from '../inputs.ts'
import type { KeyForm } from '../methods/method.ts'
import { isLoopbackHost, registrableDomain } from '../net/url.ts'

/** Keys that say by their beginning whose they are, and where those are at home. */
const vendors: readonly (readonly [name: string, form: RegExp, homes: readonly string[]])[] = [
  ['Telnyx', /^KEY0[0-9A-Z]{20}/, ['telnyx.com']],
  ['GitHub', /^(?:gh[oprsu]|github_pat)_/, ['github.com']],
  ['GitLab', /^gl(?:pat|rt|dt|ptt|cbt|soat)-/, ['gitlab.com']],
  ['Slack', /^(?:xox[abeoprs]|xapp)-/, ['slack.com']],
  ['AWS', /^A(?:KIA|SIA)[0-9A-Z]{12}/, ['amazon.com', 'amazonaws.com']],
  ['Google', /^(?:AIza[\w-]{30}|ya29\.)/, ['google.com', 'googleapis.com']],
  ['Anthropic', /^sk-ant-/, ['anthropic.com', 'claude.com']],
  ['OpenRouter', /^sk-or-/, ['openrouter.ai']],
  ['OpenAI', /^sk-/, ['openai.com', 'deepseek.com', 'moonshot.ai', 'moonshot.cn']],
  ['Stripe', /^[sr]k_(?:live|test)_/, ['stripe.com', 'clerk.com', 'paystack.com', 'paystack.co']],
  ['npm', /^npm_[0-9A-Za-z]{30}/, ['npmjs.com', 'npmjs.org']],
  ['PyPI', /^pypi-/, ['pypi.org']],
  ['SendGrid', /^SG\.[\w-]{16,}\./, ['sendgrid.com']],
  ['DigitalOcean', /^do[opr]_v1_/, ['digitalocean.com']],
  ['Shopify', /^shp(?:at|ca|pa|ss)_/, ['shopify.com', 'shopify.dev', 'myshopify.com']],
  ['Hugging Face', /^hf_[0-9A-Za-z]{20}/, ['huggingface.co']],
  ['Groq', /^gsk_[0-9A-Za-z]{20}/, ['groq.com']],
  ['Linear', /^lin_(?:api|oauth)_/, ['linear.app']],
]

/** What is known of the key that a person was asked for. */
export interface WantedKey {
  /** The page where it is made. */
  readonly page: string
  /** What will stand before it in its header. */
  readonly prefix: string
  /** All that is written about it where others can read: nothing of this is a secret. */
  readonly shown: string
  /** How it looks, by the service's documents. */
  readonly form?: KeyForm | undefined
  /** The person was told that it looks different, and says that it is right. */
  readonly insists?: boolean | undefined
}

/**
 * A key as a person pasted it, cleaned of what was surely pasted along with it. Throws `secret_refused`,
 * never quoting it, for what is no key, has the beginning of another vendor's, or looks different than the
 * documents say: with `details.doubt` where a sample alone says so, and the person may insist.
 */
export function pastedKey(pasted: string, wanted: WantedKey): string {
  const { page, prefix, shown, form, insists } = wanted
  const text = cleanSecret(pasted, prefix.trim() === '' ? 'Bearer ' : prefix)
  if (/^[$%]\w+%?$/.test(text)) throw refuse('it is the name of a variable')
  if (/^[A-Z][A-Z0-9]*_[A-Z0-9_]*=/.test(text)) throw refuse('paste what stands after the "="')
  const { hostname } = new URL(page)
  const domain = registrableDomain(hostname) ?? hostname
  const address = /^[\w.-]+(?=[:/?#]|$)/.exec(text)?.[0].toLowerCase() ?? ''
  if (address === domain || address.endsWith(`.${domain}`)) throw refuse('it is an address')
  if (shown.includes(JSON.stringify(text).slice(1, -1))) throw refuse('it is no secret')
  const [name, , homes = []] = vendors.find(([, form]) => form.test(text)) ?? []
  if (name !== undefined && !homes.some((home) => isHome(home, domain))) {
    throw refuse(`it begins like a key of ${name}, and this is for ${domain}. Nothing was sent`)
  }
  if (form && !form.looks.some((look) => looksLike(text, look))) {
    const looks = form.looks.map(spoken).join(' or ')
    if (form.certain) throw refuse(`by the documents of ${domain} a key ${looks}`)
    const why = `this does not look like the key: in a sample of ${domain} it ${looks}`
    if (!insists) throw new AuthError('secret_refused', why, { details: { doubt: true } })
  }
  return text
}

const digits = /^(\d+) hex$/

function looksLike(text: string, look: string): boolean {
  const [, length] = digits.exec(look) ?? []
  if (length === undefined) return text.startsWith(look) && text.length > look.length
  return text.length === Number(length) && /^[0-9a-f]*$/i.test(text)
}

function spoken(look: string): string {
  const [, length] = digits.exec(look) ?? []
  return length === undefined ? `begins with ${look}` : `is ${length} hexadecimal digits`
}

/** In development a vendor is imitated under its name: `telnyx.localhost`. */
function isHome(home: string, domain: string): boolean {
  if (!isLoopbackHost(domain)) return home === domain
  return home.split('.')[0] === domain.split('.')[0]
}

function refuse(why: string): AuthError {
  return new AuthError('secret_refused', `this is no credential: ${why}`)
}
