import type { Random, Shape } from './redactor-answers.fixture.ts'

const lines = (count: number, line: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => line(at)).join('\n')

const pem = (kind: string, r: Random): string =>
  `-----BEGIN ${kind}-----\n${lines(4, () => r.base64(64))}\n-----END ${kind}-----\n`

/** More kinds of ordinary answers: services of all sorts, pages, tables, feeds, files. */
export const moreShapes: readonly Shape[] = [
  // Telephony
  (r) => ({
    data: [
      {
        phone_number: r.phone(),
        cost_information: { monthly_cost: '1.00', currency: 'USD' },
        features: [{ name: 'sms' }, { name: 'voice' }],
        region_information: [{ region_type: 'rate_center', region_name: 'SAN JOSE' }],
      },
    ],
    metadata: { total_results: r.below(50), best_effort_results: 0 },
  }),
  (r) => ({ data: { balance: `${r.below(999)}.00`, currency: 'USD', record_type: 'balance' } }),
  (r) => ({
    data: {
      id: r.uuid(),
      messaging_profile_id: r.uuid(),
      to: [{ phone_number: r.phone(), status: 'queued' }],
      webhook_url: `https://hooks.test/${r.hex(12)}`,
    },
  }),
  (r) => ({
    data: {
      call_control_id: `v3:${r.base64url(68)}`,
      call_session_id: r.uuid(),
      client_state: btoa(`state ${r.below(1e6)}`),
    },
  }),
  (r) => ({ sid: `CA${r.hex(32)}`, account_sid: `AC${r.hex(32)}`, from: r.phone(), price: null }),
  // Code hosting and packages
  (r) => ({
    full_name: 'acme/widgets',
    clone_url: 'https://git.test/acme/widgets.git',
    pushed_at: r.time(),
    owner: { node_id: r.base64(20), gravatar_id: r.hex(32), avatar_url: 'https://a.test/u/1?v=4' },
  }),
  (r) => ({ schemaVersion: 2, config: { digest: `sha256:${r.hex(64)}`, size: r.below(9999) } }),
  (r) => ({
    lockfileVersion: 3,
    packages: {
      'node_modules/a': {
        resolved: `https://reg.test/a/-/a-1.${r.below(9)}.0.tgz`,
        integrity: `sha512-${r.base64(86)}==`,
      },
    },
  }),
  (r) =>
    `diff --git a/x.ts b/x.ts\nindex ${r.hex(7)}..${r.hex(7)} 100644\n--- a/x.ts\n+++ b/x.ts\n@@ -1 +1 @@\n-const token = read()\n+const token = await read()\n`,
  (r) => ({ ref: 'refs/heads/main', before: r.hex(40), after: r.hex(40), commits: [] }),
  (r) => ({
    title: 'deploy',
    key: `ssh-ed25519 ${`AAAAC3NzaC1lZDI1NTE5AAAAI${r.base64(43)}`} kim@acme`,
  }),
  (r) => ({ fingerprint: `SHA256:${r.base64(43)}`, md5: r.hex(32).replace(/..(?!$)/g, '$&:') }),
  // Identity and security metadata
  (r) => ({
    issuer: `https://as${r.below(99)}.test`,
    token_endpoint: 'https://as.test/token',
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt'],
    code_challenge_methods_supported: ['S256'],
    revocation_endpoint: 'https://as.test/revoke',
  }),
  (r) => ({ error: 'invalid_grant', error_description: `The token ${r.below(99)} has expired` }),
  (r) => ({
    challenge: r.base64url(43),
    rpId: 'acme.test',
    allowCredentials: [{ id: r.base64url(86) }],
  }),
  (r) => ({ certificate: pem('CERTIFICATE', r), not_after: r.time() }),
  (r) => ({ public_key: pem('PUBLIC KEY', r), fingerprint: r.hex(64) }),
  (r) => ({
    active: true,
    client_id: r.uuid(),
    sub: r.digits(21),
    jti: r.uuid(),
    exp: r.below(1e9),
  }),
  (r) => ({
    id: `key_${r.base62(16)}`,
    last_used_at: r.time(),
    scopes: ['numbers:read'],
    revoked: false,
  }),
  (r) => ({ policy: { password: { min_length: 12, rotate_days: r.below(99) }, mfa: 'optional' } }),
  // Storage, search, queues
  (r) =>
    `<?xml version="1.0"?><ListBucketResult><NextContinuationToken>${r.base64(64)}=</NextContinuationToken><Contents><Key>a/b.txt</Key><ETag>&quot;${r.hex(32)}&quot;</ETag></Contents></ListBucketResult>`,
  (r) => ({
    _scroll_id: r.base64(120),
    hits: { total: r.below(99), hits: [{ _id: r.base64url(20) }] },
  }),
  (r) => ({ NextToken: r.base64(180), Messages: [{ MessageId: r.uuid(), MD5OfBody: r.hex(32) }] }),
  (r) => ({ ReceiptHandle: r.base64(200), Attributes: { SentTimestamp: r.digits(13) } }),
  (r) => ({ kind: 'drive#changes', startPageToken: r.digits(6), newStartPageToken: r.digits(7) }),
  (r) => ({
    rev: r.base62(19),
    content_hash: r.hex(64),
    path_lower: '/a.txt',
    id: `id:${r.base62(22)}`,
  }),
  (r) => ({ vector: Array.from({ length: 12 }, () => r.below(1e6) / 1e6), id: r.uuid() }),
  (r) => ({ key: `config/${r.hex(6)}`, value: r.base64(48), mod_revision: r.below(9999) }),
  // Chat, mail, calendars
  (r) => ({
    ok: true,
    channel: `C0${r.upper(9)}`,
    ts: `17${r.digits(8)}.000100`,
    bot_id: `B0${r.upper(9)}`,
  }),
  (r) => ({ id: r.digits(18), guild_id: r.digits(19), nonce: r.digits(18), content: 'hi' }),
  (r) => ({ historyId: r.digits(7), messages: [{ id: r.hex(16), threadId: r.hex(16) }] }),
  (r) =>
    `DKIM-Signature: v=1; a=rsa-sha256; d=mail.test; s=s1; bh=${r.base64(43)}=; b=${r.base64(172)}\nMessage-ID: <${r.uuid()}@mail.test>\nSubject: Your password\n\nIt was changed.\n`,
  (r) =>
    `BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:${r.base62(26)}@cal.test\r\nDTSTAMP:20300101T120000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`,
  (r) => ({
    kind: 'calendar#events',
    nextSyncToken: r.base64(40),
    iCalUID: `${r.base62(26)}@cal.test`,
  }),
  // Commerce, maps, media
  (r) => ({
    order: `A-${r.digits(8)}`,
    tracking: `1Z${r.upper(6)}${r.digits(10)}`,
    idempotency_key: r.uuid(),
  }),
  (r) => ({ iban: `GB00MADE${r.digits(14)}`, reference: r.upper(12), amount: { value: '1.00' } }),
  (r) => ({
    type: 'Point',
    coordinates: [r.below(180) + 0.12345, r.below(90) + 0.5],
    place_id: r.base64url(27),
  }),
  (r) => ({
    geohash: r.base62(12).toLowerCase(),
    plus_code: `8FVC${r.digits(4)}+2X`,
    polyline: r.base64(80),
  }),
  (r) =>
    `#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="https://k.test/${r.uuid()}",IV=0x${r.hex(32)}\nseg-${r.hex(8)}.ts\n`,
  (r) =>
    `<svg xmlns="http://www.w3.org/2000/svg"><image href="data:image/webp;base64,${r.base64(160)}"/></svg>`,
  (r) => ({ waveform: r.base64(120), codec: 'opus', sha1: r.hex(40) }),
  // Pages and tables
  (r) =>
    `<!doctype html><meta name="csrf-token" content="${r.base64(86)}=="><script nonce="${r.base64(22)}" src="/a.${r.hex(8)}.js" integrity="sha384-${r.base64(64)}"></script><label>Password <input type="password" name="password"></label>`,
  (r) => `<form><input type="hidden" name="authenticity_token" value="${r.base64(86)}"></form>`,
  (r) =>
    `id,name,created,token_count\n${lines(5, (at) => `${r.uuid()},row ${at},${r.time()},${r.below(99)}`)}\n`,
  (r) =>
    `"id";"key";"secret question"\n${lines(4, () => `"${r.base62(20)}";"${r.hex(8)}";"pet's name"`)}\n`,
  (r) => `| id | hash |\n| --- | --- |\n${lines(4, () => `| ${r.below(1e6)} | ${r.hex(40)} |`)}\n`,
  (r) =>
    `<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:uuid:${r.uuid()}</id><entry><id>tag:a.test,2030:${r.digits(9)}</id></entry></feed>`,
  // Streams, logs, configuration
  (r) =>
    lines(
      4,
      () =>
        `{"level":"info","trace_id":"${r.hex(32)}","span_id":"${r.hex(16)}","msg":"token refreshed"}`,
    ),
  (r) => ({ traceparent: `00-${r.hex(32)}-${r.hex(16)}-01`, tracestate: `a=${r.base62(12)}` }),
  (r) =>
    lines(
      4,
      (at) => `id: ${r.base62(16)}\nevent: tick\ndata: {"n":${at},"cursor":"${r.base64(32)}"}\n`,
    ),
  (r) =>
    `# TYPE tokens_total counter\ntokens_total{model="m",key_id="${r.hex(8)}"} ${r.below(1e6)}\n`,
  (r) =>
    `version: 2\nsecret:\n  name: db-${r.hex(4)}\n  from: vault\ntoken: \${TOKEN}\nimage: a@sha256:${r.hex(64)}\n`,
  (r) =>
    `{"jsonrpc":"2.0","id":${r.below(99)},"result":{"nextCursor":"${r.base64(44)}","tools":[]}}`,
  (r) =>
    `[{"op":"replace","path":"/settings/password","value":null},{"op":"test","path":"/etag","value":"${r.hex(32)}"}]`,
  // Languages
  (r) => ({
    locale: 'es',
    password: 'Contraseña',
    api_key: 'Schlüssel',
    secret: 'секретный',
    token: 'アクセストークン',
    checksum: r.hex(8),
  }),
  (r) => ({ password: 'Forgot your password?', access_token: 'Access token', n: r.below(999) }),
  (r) => ({
    text: `%F0%9F%98%80 &amp; &lt;b&gt; \\u00e9 ${r.base64(30)}`,
    url: `/s?q=${r.hex(6)}%20%26%20b`,
  }),
  // Data
  (r) => ({
    data: { viewer: { id: btoa(`User:${r.below(1e6)}`) }, pageInfo: { endCursor: r.base64(24) } },
  }),
  (r) => ({
    ulid: `01${r.upper(24)}`,
    ksuid: r.base62(27),
    nanoid: r.base64url(21),
    cuid: `c${r.hex(24)}`,
  }),
  (r) => ({ payload: r.base64(240), encoding: 'protobuf', crc32c: `${r.base64(6)}==` }),
]
