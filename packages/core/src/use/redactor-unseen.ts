import { Secret } from '../vault/secret.ts'

/** What stands where a secret stood. It resembles no value, so that nobody takes it for a mistyped one. */
export const redactionText = '[secret held by the vault]'

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
const pointerField = /page|next|prev|cursor|continu|sync|resume|csrf|upload/
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
  const word = /^(?:[a-z]+|[A-Z]+|[A-Z][a-z]+)$/
  return !text.split(/[_.-]/).every((part) => word.test(part))
}

/** The secret in a field's value, without the word `Bearer` before it. */
function secretIn(field: string, value: string): string | undefined {
  const name = normal(field)
  const bare = value.replace(/^(?:bearer|basic|token) +/i, '')
  const isToken = tokenField.test(name) && !pointerField.test(name) && jwt.test(bare)
  return (isToken || secretFields.has(name)) && isValue(bare) ? bare : undefined
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

function redactFields(text: string, secrets: UnseenSecret[], depth: number): string {
  let out = ''
  let copied = 0

  function replace(field: string, from: number, to: number): void {
    const raw = text.slice(from, to)
    const value = decoded(raw)
    const secret = secretIn(field, value ?? raw)
    let shown: string | undefined
    if (secret !== undefined) {
      // What the text's end cuts off is hidden too, but it is not the secret.
      if (to < text.length) secrets.push({ field, secret: new Secret(secret) })
      shown = redactionText
    } else if (value !== undefined && depth < nestedDepth && raw.includes('\\"')) {
      const inner = redactFields(value, secrets, depth + 1)
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

function redactForm(text: string, secrets: UnseenSecret[]): string {
  if (!formText.test(text)) return text
  const pairs = text.split('&').map((pair) => {
    const [[field, value] = ['', '']] = new URLSearchParams(pair)
    const secret = secretIn(field, value)
    if (secret === undefined) return pair
    secrets.push({ field, secret: new Secret(secret) })
    return `${pair.slice(0, pair.indexOf('='))}=${redactionText}`
  })
  return pairs.join('&')
}

function redactKnownKeys(text: string, secrets: UnseenSecret[]): string {
  return text.replace(knownKey, (key: string, ...rest: (string | number | undefined)[]) => {
    const kind = rest.indexOf(key)
    const at = rest[knownKeys.length] as number
    const named = /"([\w.-]{1,64})"\s*:\s*"$/.exec(text.slice(Math.max(0, at - 100), at))
    const field = named?.[1] ?? knownKeys[kind]?.[0] ?? 'key'
    secrets.push({ field, secret: new Secret(key) })
    return redactionText
  })
}

/**
 * Takes secrets out of a text that were never seen before: JSON (also within a JSON string) and form
 * fields whose name means a secret (`api_key`, `access_token`, `password` …) and keys with a known
 * beginning (`KEY0…`, `sk_live_…`, `ghp_…` …). Nothing is judged by how random it looks: cursors, ids,
 * signed URLs and page tokens stay as they are, and a text without such secrets is returned unchanged.
 *
 * `secrets` are what was taken out, for the vault.
 *
 * @example
 * ```ts
 * const { text, secrets } = redactUnseen('{"data":{"api_key":"made-up-1"}}')
 * ```
 */
export function redactUnseen(text: string): { text: string; secrets: UnseenSecret[] } {
  const secrets: UnseenSecret[] = []
  const fields = redactForm(redactFields(text, secrets, 0), secrets)
  return { text: redactKnownKeys(fields, secrets), secrets }
}
