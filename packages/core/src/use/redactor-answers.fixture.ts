/**
 * Made-up ordinary API answers, always the same ones: listings, cursors, ids, signed URLs, mail, errors,
 * calendars, hashes. None holds a secret.
 */
export function ordinaryAnswers(count: number): string[] {
  let state = 42
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >>> 8) % below
  }
  const text = (length: number, alphabet: string): string =>
    Array.from({ length }, () => alphabet[random(alphabet.length)]).join('')
  const hex = (length: number): string => text(length, '0123456789abcdef')
  const base62 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  const uuid = (): string => [8, 4, 4, 4, 12].map(hex).join('-')
  const base64 = (length: number): string => text(length, `${base62}+/`)
  const json = (value: unknown): string => btoa(JSON.stringify(value))
  const time = (): string => new Date(1.7e12 + random(1e9)).toISOString()

  const shapes: (() => unknown)[] = [
    () => ({
      data: [{ id: uuid(), record_type: 'phone_number', phone_number: '+15550100', tags: [] }],
      meta: { total_pages: random(9), page_number: 1, next_page_token: base64(88) },
    }),
    () => ({
      items: [],
      nextPageToken: text(64, base62),
      pageToken: text(40, base62),
      etag: hex(32),
    }),
    () => ({ cursor: json({ id: random(1e6), created: time() }), has_more: true }),
    () => ({ page: { after: `eyJ${base64(60)}`, continuation_token: base64(120), limit: 50 } }),
    () => ({
      next_page_token: `eyJ${text(20, base62)}.eyJ${text(60, base62)}.${text(43, base62)}`,
    }),
    () => ({
      url: `https://files.test/${uuid()}.pdf?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA${text(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}%2F20300101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=${hex(64)}`,
    }),
    () => ({
      href: `https://blob.test/c/f?sv=2030-01-01&sig=${encodeURIComponent(base64(43))}%3D`,
    }),
    () => ({ download: `https://cdn.test/a.png?token=${text(40, base62)}&expires=${random(1e9)}` }),
    () => ({ upload_token: base64(60), sync_token: text(30, base62), csrf_token: hex(40) }),
    () => ({
      message_id: `<${text(24, base62)}@mail.test>`,
      thread_id: hex(16),
      sid: `SM${hex(32)}`,
    }),
    () => ({
      token_type: 'bearer',
      expires_in: 3600,
      scope: 'read write',
      token_endpoint: 'https://as.test/token',
    }),
    () => ({
      errors: [{ code: '10009', title: 'Authentication failed', detail: 'Invalid api_key' }],
    }),
    () => ({
      errors: { password: 'required', token: 'invalid_or_expired', api_key: ['is too short'] },
    }),
    () => ({
      password: 'must be at least 8 characters',
      secret: null,
      token: false,
      api_key: 12345678,
    }),
    () => ({
      api_key: '********',
      secret: 'sk_live_…4242',
      client_secret: 'https://docs.test/secrets',
    }),
    () => ({ properties: { password: { type: 'string' }, access_token: { type: 'string' } } }),
    () => ({
      tokens: random(9000),
      max_tokens: 4096,
      usage: { prompt_tokens: 12 },
      tokenizer: 'o200k',
    }),
    () => ({ sha: hex(40), tree: { sha: hex(40) }, node_id: base64(32), public_key: base64(44) }),
    () => ({
      id: `pi_${text(24, base62)}`,
      object: 'payment_intent',
      publishable_key: `pk_live_${text(24, base62)}`,
    }),
    () => ({
      slug: 'sk-kosice-region-apartments-2030-winter',
      lang: 'sk-SK',
      asset: `${hex(20)}.js`,
    }),
    () => ({ image: `data:image/png;base64,${base64(200)}`, integrity: `sha512-${base64(86)}==` }),
    () => ({ keys: [{ kty: 'RSA', kid: hex(16), n: text(342, base62), e: 'AQAB', use: 'sig' }] }),
    () => ({
      body: JSON.stringify({ id: uuid(), text: 'He said "token": twice', cursor: base64(40) }),
    }),
    () => ({
      webhook: { url: 'https://hooks.test/in', signing_algorithm: 'hmac-sha256', secret_set: true },
    }),
    () => ({ user_code: 'WDJB-MJHT', verification_uri: 'https://as.test/device', interval: 5 }),
    () => [uuid(), time(), hex(64), text(22, base62), random(1e9)],
    () => `id=${uuid()}&state=${text(32, base62)}&next=${encodeURIComponent('/a?b=c')}`,
    () => `<p title="a \\"quoted\\" thing">Your "password": see the page, key ${hex(8)}</p>`,
    () => `# Notes\n\n"quotes" and 'more', \\ back\\slashes, 100% & more, ${base64(50)}\n`,
    () => `event: delta\ndata: {"id":"msg_${text(24, base62)}","delta":{"text":"a \\u00e9"}}\n\n`,
  ]
  return Array.from({ length: count }, (_, i) => {
    const answer = shapes[i % shapes.length]!()
    if (typeof answer === 'string') return answer
    return JSON.stringify(answer, null, i % 3)
  })
}
