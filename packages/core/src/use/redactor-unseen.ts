import { Secret } from '../vault/secret.ts'

/** What stands where a secret stood. It resembles no value, so that nobody takes it for a mistyped one. */
export const redactionText = '[secret held by the vault]'

/** The same for a secret that is not kept: it is only not shown. */
export const hiddenText = '[secret not shown]'

/** What to put in the place of a secret; of one that the text's end cuts off the value is not known. */
export type Mark = (secret: string | undefined) => string

/** A secret that an answer held, and the name of the field, or of the kind of key, it was found by. */
export interface UnseenSecret {
  readonly field: string
  readonly secret: Secret
}

/** Field names that mean a secret, in lower case without `_`, `-`, `.` and spaces. */
const secretFields = new Set(
  `accesskeysecret accesstoken apikey apikeysecret apisecret apitoken appsecret authkey
  authorization authtoken bearertoken claimtoken clientsecret consumersecret devicecode idtoken
  keysecret passphrase passwd password personalaccesstoken pollingtoken privatekey refreshtoken
  registrationaccesstoken secret secretaccesskey secretkey secrettoken servicetoken sessiontoken
  sharedsecret signingkey signingsecret token tokensecret webhooksecret xapikey`.split(/\s+/),
)

/** A field whose JWT is a token, unless the name says that it only points into a listing. */
const tokenField = /(?:token|jwt|assertion)$/
const pointerField =
  /page|pagin|next|prev|cursor|continu|scroll|offset|delta|sync|resume|csrf|upload/
const jwt = /^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*$/

/** Keys that say by their beginning whose they are. */
const knownKeys: readonly (readonly [kind: string, form: string])[] = [
  ['telnyx_key', 'KEY0[0-9A-Za-z]{20,}(?:_[0-9A-Za-z]{8,})?'],
  ['stripe_key', '[sr]k_(?:live|test)_[0-9A-Za-z]{16,}'],
  ['webhook_secret', 'whsec_[0-9A-Za-z+/]{16,}'],
  ['github_token', 'gh[oprsu]_[0-9A-Za-z]{36,}'],
  ['github_token', 'github_pat_[0-9A-Za-z_]{22,}'],
  ['gitlab_token', 'glpat-[0-9A-Za-z_-]{20,}'],
  ['slack_token', 'xox[abeoprs]-[0-9A-Za-z-]{10,}'],
  ['slack_token', 'xapp-[0-9]-[0-9A-Za-z-]{10,}'],
  ['aws_key', 'A(?:KIA|SIA)[0-9A-Z]{16}(?![0-9A-Za-z])'],
  ['google_key', 'AIza[0-9A-Za-z_-]{35}'],
  ['google_token', 'ya29\\.[0-9A-Za-z_-]{20,}'],
  ['anthropic_key', 'sk-ant-[0-9A-Za-z_-]{20,}'],
  ['openai_key', 'sk-(?:(?:proj|svcacct)-[0-9A-Za-z_-]{20,}|[0-9A-Za-z]{40,})'],
  ['npm_token', 'npm_[0-9A-Za-z]{36}'],
  ['sendgrid_key', 'SG\\.[0-9A-Za-z_-]{22}\\.[0-9A-Za-z_-]{43}'],
  ['digitalocean_token', 'do[opr]_v1_[0-9a-f]{64}'],
  ['shopify_token', 'shp(?:at|ca|pa|ss)_[0-9a-f]{32}'],
]

// A signed URL of S3 names its access key id, which is no secret: it stays, or the URL is of no use.
const knownKey: RegExp = new RegExp(
  `(?<![0-9A-Za-z_-]|Credential=)(?:${knownKeys.map(([, form]) => `(${form})`).join('|')})`,
  'g',
)

const formText = /^[\w.-]+=[^&\s]*(?:&[\w.-]+=[^&\s]*)*$/
const nestedDepth = 3

function normal(field: string): string {
  return field.length > 64 ? '' : field.toLowerCase().replace(/[_\-. ]/g, '')
}

/** A word (`required`), a URL or a mask (`****`) in a secret's field is no secret. */
function isValue(text: string): boolean {
  if (text.startsWith('-----BEGIN ')) return text.includes('PRIVATE KEY')
  if (text.length < 8 || /\s/.test(text)) return false
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || /[*•]{2}|…|\.{3}|^[xX]+$/.test(text)) return false
  const word = /^(?:[\p{Ll}\p{Lo}\p{M}]+|\p{Lu}+|\p{Lu}[\p{Ll}\p{M}]+)$/u
  return !text.split(/[_.-]/).every((part) => word.test(part))
}

/** The secret in a field's value, without the word `Bearer` before it. */
function secretIn(field: string, value: string): string | undefined {
  const name = normal(field)
  const bare = value.replace(/^(?:bearer|basic|token) +/i, '')
  const isToken = tokenField.test(name) && !pointerField.test(name) && jwt.test(bare)
  // A piece of text that a language model counts is called so too.
  const isPiece = name === 'token' && !/^[\w-][\x21-\x7e]+$/.test(bare)
  return (isToken || (secretFields.has(name) && !isPiece)) && isValue(bare) ? bare : undefined
}

/** Index of the quote that ends the JSON string which begins at `open`; the text's length if none. */
function closing(text: string, open: number): number {
  for (let i = open + 1; i < text.length; i++) {
    if (text[i] === '"') return i
    if (text[i] === '\\') i++
  }
  return text.length
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && ' \t\r\n'.includes(text[at]!)) at++
  return at
}

/** A JSON string's text; where the end of an answer was cut off, without the half escape there. */
function decoded(raw: string): string | undefined {
  for (const whole of [raw, raw.replace(/\\(?:u[0-9a-f]{0,3})?$/i, '')]) {
    try {
      return JSON.parse(`"${whole}"`)
    } catch {
      // Not a JSON string.
    }
  }
  return undefined
}

interface Found {
  readonly secrets: UnseenSecret[]
  readonly mark: Mark
}

function take({ secrets, mark }: Found, field: string, value: string): string {
  secrets.push({ field, secret: new Secret(value) })
  return mark(value)
}

function redactFields(text: string, found: Found, depth: number): string {
  let out = ''
  let copied = 0

  function replace(field: string, from: number, to: number): void {
    const raw = text.slice(from, to)
    const value = decoded(raw)
    const secret = secretIn(field, value ?? raw)
    let shown: string | undefined
    if (secret !== undefined) {
      // What the text's end cuts off is hidden too, but it is not the secret.
      shown = to < text.length ? take(found, field, secret) : found.mark(undefined)
    } else if (value !== undefined && depth < nestedDepth && raw.includes('\\"')) {
      const inner = redactFields(value, found, depth + 1)
      if (inner !== value) shown = JSON.stringify(inner).slice(1, -1)
    }
    if (shown === undefined) return
    out += text.slice(copied, from) + shown
    copied = to
  }

  for (let open = text.indexOf('"'); open >= 0; ) {
    const close = closing(text, open)
    const colon = skipSpace(text, close + 1)
    if (text[colon] !== ':') {
      replace('', open + 1, close)
      // In text that is not JSON a quote may begin where we thought that one ended.
      open = text.indexOf('"', close)
      continue
    }
    const value = skipSpace(text, colon + 1)
    if (text[value] !== '"') {
      open = text.indexOf('"', value)
      continue
    }
    const end = closing(text, value)
    replace(text.slice(open + 1, close), value + 1, end)
    open = text.indexOf('"', end + 1)
  }
  return out + text.slice(copied)
}

function redactForm(text: string, found: Found): string {
  if (!formText.test(text)) return text
  const pairs = text.split('&').map((pair) => {
    const [[field, value] = ['', '']] = new URLSearchParams(pair)
    const secret = secretIn(field, value)
    if (secret === undefined) return pair
    return `${pair.slice(0, pair.indexOf('='))}=${take(found, field, secret)}`
  })
  return pairs.join('&')
}

function redactKnownKeys(text: string, found: Found): string {
  return text.replace(knownKey, (key: string, ...rest: (string | number | undefined)[]) => {
    const kind = rest.indexOf(key)
    const at = rest[knownKeys.length] as number
    const named = /"([\w.-]{1,64})"\s*:\s*"$/.exec(text.slice(Math.max(0, at - 100), at))
    const field = named?.[1] ?? knownKeys[kind]?.[0] ?? 'key'
    return take(found, field, key)
  })
}

/**
 * Takes secrets out of a text that were never seen before: JSON (also within a JSON string) and form
 * fields whose name means a secret (`api_key`, `access_token`, `password` …) and keys with a known
 * beginning (`KEY0…`, `sk_live_…`, `ghp_…` …). Nothing is judged by how random it looks: cursors, ids,
 * signed URLs and page tokens stay as they are, and a text without such secrets is returned unchanged.
 *
 * `secrets` are what was taken out, for the vault; `mark` says what stands in the place of each.
 *
 * @example
 * ```ts
 * const { text, secrets } = redactUnseen('{"data":{"api_key":"made-up-1"}}')
 * ```
 */
export function redactUnseen(
  text: string,
  mark: Mark = () => redactionText,
): { text: string; secrets: UnseenSecret[] } {
  const found: Found = { secrets: [], mark }
  const fields = redactForm(redactFields(text, found, 0), found)
  return { text: redactKnownKeys(fields, found), secrets: found.secrets }
}
