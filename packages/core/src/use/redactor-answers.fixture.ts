import { moreShapes } from './redactor-answers-more.fixture.ts'

/** Random things, always the same ones for a seed. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
    this.below(2)
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1103515245) + 12345) & 0x7fffffff
    return (this.#state >>> 8) % limit
  }

  of(alphabet: string, length: number): string {
    return Array.from({ length }, () => alphabet[this.below(alphabet.length)]).join('')
  }

  hex(length: number): string {
    return this.of('0123456789abcdef', length)
  }

  digits(length: number): string {
    return this.of('0123456789', length)
  }

  base62(length: number): string {
    return this.of('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', length)
  }

  base64(length: number): string {
    return this.of('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', length)
  }

  base64url(length: number): string {
    return this.base64(length).replaceAll('+', '-').replaceAll('/', '_')
  }

  upper(length: number): string {
    return this.of('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', length)
  }

  uuid(): string {
    return [8, 4, 4, 4, 12].map((length) => this.hex(length)).join('-')
  }

  /** What looks like a JSON Web Token. */
  jwt(): string {
    return `eyJ${this.base64url(21)}.eyJ${this.base64url(61)}.${this.base64url(43)}`
  }

  time(): string {
    return new Date(1.7e12 + this.below(1e9) * 60).toISOString()
  }

  phone(): string {
    return `+1555010${this.digits(4)}`
  }
}

/** One kind of answer: a text, or what is written as JSON. */
export type Shape = (random: Random) => unknown

const shapes: readonly Shape[] = [
  (r) => ({
    data: [{ id: r.uuid(), record_type: 'phone_number', phone_number: r.phone(), tags: [] }],
    meta: { total_pages: r.below(9), page_number: 1, next_page_token: r.base64(88) },
  }),
  (r) => ({
    items: [],
    nextPageToken: r.base62(64),
    pageToken: r.base62(40),
    etag: r.hex(32),
  }),
  (r) => ({ cursor: btoa(JSON.stringify({ id: r.below(1e6), created: r.time() })), more: true }),
  (r) => ({ page: { after: `eyJ${r.base64(60)}`, continuation_token: r.base64(120), limit: 50 } }),
  (r) => ({ next_page_token: r.jwt(), pagination_token: r.jwt(), scroll_token: r.jwt() }),
  (r) => ({ document_id: r.jwt(), revision: r.base64url(27) }),
  (r) => ({
    url: `https://files.test/${r.uuid()}.pdf?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA${r.upper(16)}%2F20300101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=${r.hex(64)}`,
  }),
  (r) => ({
    href: `https://blob.test/c/f?sv=2030-01-01&sig=${encodeURIComponent(r.base64(43))}%3D`,
  }),
  (r) => ({
    mediaLink: `https://storage.test/b/o?X-Goog-Signature=${r.hex(128)}&X-Goog-Date=20300101T000000Z`,
  }),
  (r) => ({
    preview: `https://cdn.test/v.m3u8?Policy=${r.base64url(90)}_&Signature=${r.base64url(86)}&Key-Pair-Id=APKA${r.upper(16)}`,
  }),
  (r) => ({ download: `https://cdn.test/a.png?token=${r.base62(40)}&expires=${r.below(1e9)}` }),
  (r) => ({ unsubscribe: `https://news.test/u/${r.base64url(32)}?token=${r.hex(40)}&list=a` }),
  (r) => ({ socket: `wss://rtm.test/link/?ticket=${r.uuid()}&shard=${r.below(9)}` }),
  (r) => ({ upload_token: r.base64(60), sync_token: r.base62(30), csrf_token: r.hex(40) }),
  (r) => ({ '@odata.deltaLink': `https://graph.test/v1/users?$deltatoken=${r.base64url(70)}` }),
  (r) => ({
    message_id: `<${r.base62(24)}@mail.test>`,
    thread_id: r.hex(16),
    sid: `SM${r.hex(32)}`,
  }),
  (r) => ({
    token_type: 'bearer',
    expires_in: r.below(9000),
    scope: 'read write',
    token_endpoint: 'https://as.test/token',
  }),
  (r) => ({
    errors: [{ code: '10009', title: 'Authentication failed', detail: 'Invalid api_key' }],
    request_id: r.uuid(),
  }),
  (r) => ({
    errors: { password: 'required', token: 'invalid_or_expired', api_key: ['is too short'] },
    trace: r.hex(32),
  }),
  (r) => ({
    password: 'must be at least 8 characters',
    secret: null,
    token: false,
    api_key: r.below(1e9),
  }),
  (r) => ({
    api_key: '********',
    secret: `sk_live_…${r.digits(4)}`,
    client_secret: `https://docs.test/secrets/${r.below(100)}`,
  }),
  (r) => ({
    data: [{ api_key_id: r.uuid(), name: 'ci', hint: `KEY01…${r.hex(4)}`, created_at: r.time() }],
  }),
  (r) => ({
    properties: { password: { type: 'string' }, access_token: { type: 'string' } },
    $id: `https://schemas.test/${r.hex(8)}`,
  }),
  (r) => ({
    tokens: r.below(9000),
    max_tokens: 4096,
    usage: { prompt_tokens: r.below(99) },
    tokenizer: 'o200k',
  }),
  (r) => ({
    logprobs: [
      { token: '##ization', logprob: -r.below(99) / 9 },
      { token: '▁international', bytes: [r.below(256)] },
      { token: 'unbelievable', top: [] },
    ],
  }),
  (r) => ({
    sha: r.hex(40),
    tree: { sha: r.hex(40) },
    node_id: r.base64(32),
    public_key: r.base64(44),
  }),
  (r) => ({
    id: `pi_${r.base62(24)}`,
    object: 'payment_intent',
    publishable_key: `pk_live_${r.base62(24)}`,
  }),
  (r) => ({
    object: 'list',
    data: [{ id: `cus_${r.base62(14)}`, invoice_prefix: r.upper(8), default_source: null }],
    url: '/v1/customers',
  }),
  (r) => ({
    slug: `sk-kosice-region-apartments-2030-winter-${r.below(999)}`,
    lang: 'sk-SK',
    asset: `${r.hex(20)}.js`,
  }),
  (r) => ({
    image: `data:image/png;base64,${r.base64(200)}`,
    integrity: `sha512-${r.base64(86)}==`,
  }),
  (r) => ({ keys: [{ kty: 'RSA', kid: r.hex(16), n: r.base62(342), e: 'AQAB', use: 'sig' }] }),
  (r) => ({ keys: [{ kty: 'EC', crv: 'P-256', x: r.base64url(43), y: r.base64url(43) }] }),
  (r) => ({
    body: JSON.stringify({ id: r.uuid(), text: 'He said "token": twice', cursor: r.base64(40) }),
  }),
  (r) => ({
    webhook: { url: 'https://hooks.test/in', signing_algorithm: 'hmac-sha256', secret_set: true },
    delivery: r.uuid(),
  }),
  (r) => ({
    user_code: `${r.upper(4)}-${r.upper(4)}`,
    verification_uri: 'https://as.test/device',
    interval: 5,
  }),
  (r) => [r.uuid(), r.time(), r.hex(64), r.base62(22), r.below(1e9)],
  (r) => `id=${r.uuid()}&state=${r.base62(32)}&next=${encodeURIComponent('/a?b=c')}`,
  (r) => `<p title="a \\"quoted\\" thing">Your "password": see the page, key ${r.hex(8)}</p>`,
  (r) => `# Notes\n\n"quotes" and 'more', \\ back\\slashes, 100% & more, ${r.base64(50)}\n`,
  (r) => `event: delta\ndata: {"id":"msg_${r.base62(24)}","delta":{"text":"a \\u00e9"}}\n\n`,
]

/** How many answers there are of each shape. */
const seeds: readonly number[] = [7, 1009]

/** Made-up ordinary API answers, always the same ones. None holds a secret. */
export const ordinaryAnswers: readonly string[] = seeds.flatMap((seed, indent) =>
  [...shapes, ...moreShapes].map((shape, at) => {
    const answer = shape(new Random(seed * 1000 + at))
    return typeof answer === 'string' ? answer : JSON.stringify(answer, null, indent * 2)
  }),
)
