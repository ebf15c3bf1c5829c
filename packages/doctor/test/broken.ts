import type { Fault } from '@authmd/sandbox'
import { keyPage, signUp } from './texts.ts'

type Json = Record<string, unknown>

/** One deliberate fault of a sandbox service, and the one finding that is due. */
export interface Broken {
  /** The rule that finds it. */
  readonly rule: string
  readonly what: string
  /** Where, by the end of its URL, with line and member: `/auth.md:12`, `/x agent_auth`. */
  readonly at: string
  /** Which service is broken: auth.md v0.7 with metadata, or one whose text is all there is. */
  readonly of: 'metadata' | 'text'
  readonly text?: (text: string, api: string) => string
  readonly resource?: (json: Json, api: string) => Json
  readonly server?: (json: Json, api: string) => Json
  /** Other headers of the text, in the place of its own. */
  readonly headers?: Record<string, string>
  readonly faults?: (api: string) => readonly Fault[]
}

const agentAuth = (change: (block: Json) => Json) => (json: Json) => ({
  ...json,
  agent_auth: change(json.agent_auth as Json),
})

const without =
  (...names: readonly string[]) =>
  (json: Json) =>
    Object.fromEntries(Object.entries(json).filter(([name]) => !names.includes(name)))

const metadata = '/.well-known/oauth-authorization-server'
const prm = '/.well-known/oauth-protected-resource'
const html =
  '<!doctype html><html><head><script src="/app.js"></script></head><body><div id="root"></div></body></html>'

/** Stands for the challenge that is right. */
const good = { 'www-authenticate': '' }

const inText = (rule: string, what: string, at: string, text: Broken['text']): Broken => ({
  rule,
  what,
  at,
  of: 'text',
  ...(text && { text }),
})
const inServer = (
  rule: string,
  what: string,
  at: string,
  server: NonNullable<Broken['server']>,
): Broken => ({
  rule,
  what,
  at: `${metadata} ${at}`,
  of: 'metadata',
  server,
})
const inResource = (
  rule: string,
  what: string,
  resource: NonNullable<Broken['resource']>,
  at = ' resource',
): Broken => ({
  rule,
  what,
  at: `${prm}${at}`,
  of: 'metadata',
  resource,
})

const documents: readonly Broken[] = [
  {
    rule: 'nothing-for-agents',
    what: 'nothing at all',
    at: '/auth.md',
    of: 'text',
    faults: () => [{ name: 'agent_auth_md', status: 404 }],
  },
  {
    rule: 'document-failing',
    what: 'a text that fails',
    at: '/auth.md',
    of: 'metadata',
    faults: () => [{ name: 'agent_auth_md', status: 503 }],
  },
  {
    rule: 'document-is-a-page',
    what: 'the site’s page for everything that is not there',
    at: '/auth.md',
    of: 'text',
    text: () => html,
    headers: { 'content-type': 'text/html' },
  },
  {
    rule: 'document-media-type',
    what: 'Markdown that is called HTML',
    at: '/auth.md Content-Type',
    of: 'metadata',
    headers: { 'content-type': 'text/html; charset=utf-8' },
  },
  {
    rule: 'document-plain-text',
    what: 'Markdown that is called plain',
    at: '/auth.md Content-Type',
    of: 'metadata',
    headers: { 'content-type': 'text/plain' },
  },
  inText('document-encoding', 'UTF-8 made UTF-8 again', '/auth.md:9', (text) =>
    text.replace('— they', 'â\u0080\u0094 they'),
  ),
  inText(
    'document-cut',
    'a text of many pages',
    '/auth.md',
    (text) => `${text}\n## Scopes\n${'\n| `a.read` | `b` |\n|---|---|\n'.repeat(3_000)}`,
  ),
  inText('document-title', 'a title of another kind', '/auth.md:1', (text) =>
    text.replace('# auth.md', '# Plain Things'),
  ),
  inText('document-hidden-text', 'a character of no width', '/auth.md:15', (text) =>
    text.replace('base URL is', 'base\u200b URL is'),
  ),
  inText('document-placeholder', 'the host of a template', '/auth.md:15', (text, api) =>
    text
      .replace(`\`${api}/api\``, '`https://api.service.example.com/v1`')
      .replace(`GET ${api}/api/resource`, 'GET https://api.service.example.com/v1/things'),
  ),
  inText('document-unfinished', 'a note of the author', '/auth.md:25', (text) =>
    text.replace('the key may not do this.', 'TODO say what to do.'),
  ),
  inText(
    'document-cut-off',
    'a block that is never closed',
    '/auth.md:17',
    (text) => `${text.split('Authorization: Bearer')[0]}Authorization: Bearer`,
  ),
  inText(
    'document-no-way-in',
    'a text that is for nobody',
    '/auth.md:1',
    () => '# Auth\n\nWe love security. Passwords are kept safe.\n',
  ),
  inText('document-for-builders', 'a design of a login', '/auth.md:1', () => builders),
]

const lifecycle: readonly Broken[] = [
  inText('use-header-missing', 'no header', '/auth.md:13', (text, api) =>
    text
      .replace(/Every request carries the key:[\s\S]*?```\n\n/, '')
      .replace('base URL', 'base URL of the API')
      .replaceAll(`${api}/api/resource`, ''),
  ),
  inText('use-address-missing', 'no base URL', '/auth.md:13', (text) =>
    text.replace(/The base URL is \S+ /, '').replace(/GET .* HTTP\/1\.1\n/, ''),
  ),
  inText('revocation-missing', 'no way to end a key', '/auth.md:1', (text) =>
    text.replace(/\n## Revocation[\s\S]*/, ''),
  ),
  {
    rule: 'revocation-unadvertised',
    what: 'no revocation endpoint',
    at: `${metadata} revocation_endpoint`,
    of: 'metadata',
    server: without('revocation_endpoint'),
    text: (text) =>
      text
        .replace(/\n## Revocation[\s\S]*/, '')
        .replaceAll('expires', 'is over')
        .replaceAll('revocation', 'x'),
  },
  inText('shown-once-unsaid', 'a key in an answer', '/auth.md:19', (_, api) =>
    signUp(api).replace('The key is shown once: store it first.', 'That is all.'),
  ),
  inText('errors-missing', 'no word on errors', '/auth.md:1', (text) =>
    text.replace(/## Errors[\s\S]*?(?=## Revocation)/, ''),
  ),
]

const labels: readonly Broken[] = [
  inText('label-without-address', 'a sentence where an address should be', '/auth.md:9', (text) =>
    text.replace(
      /(\* \*\*claim_uri \(interactive\):\*\*) <[^>]*>/,
      '$1 the page for keys of your account',
    ),
  ),
  inText('label-misspelt', 'a name that is nearly right', '/auth.md:9', (text) =>
    text.replace('**claim_uri (interactive)', '**claims_url (interactive)'),
  ),
  inServer(
    'label-misspelt',
    'a member that is nearly right',
    'agent_auth.claims_url',
    agentAuth((block) => ({
      ...without('claim_endpoint')(block),
      claims_url: block.claim_endpoint,
    })),
  ),
  inText('label-without-mode', 'a label without a mode', '/auth.md:9', (text) =>
    text
      .replace('claim_uri (interactive)', 'claim_uri')
      .replace('they sign in and make', 'make')
      .replace('Ask the person you work for:', 'It is had here:')
      .replace('They put it', 'It is put'),
  ),
  inText('label-mode-unknown', 'a mode that there is not', '/auth.md:9', (text) =>
    text.replace('claim_uri (interactive)', 'claim_uri (semi-automatic)'),
  ),
  inText(
    'label-contradiction',
    'two values of one label',
    '/auth.md:30',
    (text, api) =>
      `${text}* **claim_uri (interactive):** <${api}/account/keys> — the older page.\n`,
  ),
  inText('label-relative', 'paths and no host', '/auth.md:7', () => relative),
]

const endpoints: readonly Broken[] = [
  inServer('endpoint-http', 'a revocation endpoint on http', 'revocation_endpoint', (json) => ({
    ...json,
    revocation_endpoint: 'http://auth.v0-7.test/oauth2/revoke',
  })),
  inServer('endpoint-private', 'an endpoint in a local network', 'revocation_endpoint', (json) => ({
    ...json,
    revocation_endpoint: 'https://10.1.2.3/oauth2/revoke',
  })),
  inText('endpoint-other-domain', 'a registration at a stranger’s', '/auth.md:7', (_, api) =>
    signUp(api).replaceAll(`${api}/api/agents`, 'http://signup.stranger.localhost/api/agents'),
  ),
  inText('key-in-address', 'a key in the query', '/auth.md:22', (text) =>
    text.replace(
      '```\n\n## Errors',
      '```\n\nThe key may also go into the query, as `?api_key=<key>`.\n\n## Errors',
    ),
  ),
  inServer(
    'address-with-password',
    'a password in an address',
    'agent_auth.events_endpoint',
    agentAuth((block) => ({
      ...block,
      events_endpoint: String(block.events_endpoint).replace('http://', 'http://user:pass@'),
    })),
  ),
]

const links: readonly Broken[] = [
  inText('link-dead', 'a link to nothing', '/auth.md:3', (text, api) =>
    text.replace('This page', `This page ([more](${api}/.well-known/more.md))`),
  ),
  {
    ...inText('link-failing', 'a link to what fails', '/auth.md:3', (text, api) =>
      text.replace('This page', `This page ([logo](${api}/logo.svg))`),
    ),
    faults: () => [{ name: 'agent_logo', status: 503 }],
  },
  {
    ...inText('link-moved', 'a link to what has moved', '/auth.md:3', (text, api) =>
      text.replace('This page', `This page ([logo](${api}/logo.svg))`),
    ),
    faults: (api) => [{ name: 'agent_logo', status: 301, headers: { location: `${api}/auth.md` } }],
  },
  {
    ...inText('page-for-people', 'a page that is called programmatic', '/auth.md:7', (_, api) =>
      signUp(api).replace(`\`POST ${api}/api/agents\``, `<${api}/logo.svg>`),
    ),
    faults: () => [
      { name: 'agent_logo', status: 200, body: html, headers: { 'content-type': 'text/html' } },
    ],
  },
  {
    ...inText(
      'page-needs-scripts',
      'documentation that a script makes',
      '/auth.md:3',
      (text, api) => text.replace('This page', `This page ([reference](${api}/docs/reference))`),
    ),
    faults: () => [
      { name: 'agent_resource', status: 200, body: html, headers: { 'content-type': 'text/html' } },
    ],
  },
  {
    rule: 'metadata-elsewhere',
    what: 'metadata that leads to another domain',
    at: prm,
    of: 'metadata',
    faults: (api) => [
      {
        name: 'agent_prm',
        status: 302,
        headers: { location: `${api.replace('v0-7', 'oauth')}${prm}` },
      },
    ],
  },
  {
    rule: 'cached-too-long',
    what: 'a text for a year',
    at: '/auth.md Cache-Control',
    of: 'text',
    headers: { 'content-type': 'text/markdown', 'cache-control': 'public, max-age=31536000' },
  },
]

const steps: readonly Broken[] = [
  inText('step-contact', 'a way in through an inbox', '/auth.md:9', (text, api) =>
    text
      .replace(
        /There is no registration[\s\S]*?## Use/,
        'To register, contact the team at agents@plain.test with the name of your agent.\n\n## Use',
      )
      .replace(`<${api}/settings/keys> — a deleted key`, 'none — a key that the team deletes')
      .replace('revocation_uri (interactive)', 'Who')
      .replace('## Get a key', '## Register\n\nAccess is for agents.'),
  ),
  inText('step-captcha', 'a puzzle against programs', '/auth.md:16', (_, api) =>
    signUp(api)
      .replace('The answer is `201`:', 'Solve the reCAPTCHA first. The answer is `201`:')
      .replace('and nobody is asked', 'and it costs nothing'),
  ),
  inText('step-browser', 'a browser that is called programmatic', '/auth.md:7', (_, api) =>
    signUp(api).replace(
      `\`POST ${api}/api/agents\``,
      `\`POST ${api}/api/agents\` — open the form in a browser and press the button`,
    ),
  ),
  inText('claim-address-missing', 'a dashboard without an address', '/auth.md:7', (text) =>
    text
      .replace(
        /There is no registration[\s\S]*?(?=They put)/,
        'The person you work for makes an API key in the dashboard, below Keys.\n\n',
      )
      .replace(/\* \*\*revocation_uri.*/, 'A key that is revoked there stops working at once.'),
  ),
  inText('step-person-unsaid', 'a page, and no word on who goes there', '/auth.md:7', (_, api) =>
    silent(api),
  ),
  inText('secret-in-example', 'a key that looks real', '/auth.md:19', (text) =>
    text.replace(
      'Bearer $PLAIN_API_KEY',
      `Bearer ${['pt9', 'Qz7Lm2Xw4', 'Rv8Tk1Bn6', 'Hj3Fs5Gd'].join('')}`,
    ),
  ),
]

const consistency: readonly Broken[] = [
  {
    rule: 'text-contradicts-metadata',
    what: 'another endpoint in the text',
    at: '/auth.md:16',
    of: 'metadata',
    text: (text) =>
      text.replace(/(identity\\_endpoint[^<]*<[^>]*)\/agent\/identity>/, '$1/agent/register>'),
  },
  {
    rule: 'issuer-differs',
    what: 'another server in the text',
    at: '/auth.md:12',
    of: 'metadata',
    text: (text) =>
      text.replace('### 1b.', 'Authorization server: <http://auth.stranger.localhost>\n\n### 1b.'),
  },
  {
    rule: 'issuer-differs',
    what: 'another tenant of the same server in the text',
    at: '/auth.md:12',
    of: 'metadata',
    text: (text, api) =>
      text.replace(
        '### 1b.',
        `Authorization server: <${api.replace('api.', 'auth.')}/tenants/other>\n\n### 1b.`,
      ),
  },
  {
    rule: 'types-differ',
    what: 'a type that only the text offers',
    at: '/auth.md:30',
    of: 'metadata',
    server: agentAuth((block) => ({
      ...block,
      identity_types_supported: ['identity_assertion', 'service_auth'],
    })),
  },
  {
    rule: 'resource-differs',
    what: 'a base URL on another host',
    at: '/auth.md:47',
    of: 'metadata',
    text: (text, api) =>
      text
        .replace(
          '## Step 6 — Use the access_token',
          '## Step 6 — Use the access_token\n\nThe base URL is `http://data.v0-7.localhost/v1`.',
        )
        .replaceAll(`${api}.`, 'the API.')
        .replaceAll(`${api}/.well`, '/.well'),
  },
]

const resources: readonly Broken[] = [
  {
    rule: 'prm-missing',
    what: 'no metadata of the resource',
    at: prm,
    of: 'metadata',
    faults: () => [
      { name: 'agent_prm', status: 404 },
      {
        name: 'agent_resource',
        status: 401,
        body: { error: 'unauthorized' },
        headers: { 'www-authenticate': 'Bearer' },
      },
    ],
    text: (text) => text.replace(/### 1a[\s\S]*?(?=### 1b)/, ''),
  },
  {
    rule: 'prm-unreadable',
    what: 'metadata that the challenge names and that is a page',
    at: prm,
    of: 'metadata',
    faults: () => [
      { name: 'agent_prm', status: 200, body: html, headers: { 'content-type': 'text/html' } },
    ],
  },
  inResource('prm-resource-missing', 'metadata without resource', without('resource')),
  inResource('prm-other-resource', 'metadata of another host', (json) => ({
    ...json,
    resource: 'http://api.stranger.localhost',
  })),
  inResource('prm-place', 'metadata of a path, at the root', (json, api) => ({
    ...json,
    resource: `${api}/v2`,
  })),
  {
    rule: 'prm-media-type',
    what: 'JSON that is called HTML',
    at: `${prm} Content-Type`,
    of: 'metadata',
    resource: (json) => ({ ...json, mediaType: 'text/html' }),
  },
  inResource(
    'prm-no-server',
    'no authorization server',
    without('authorization_servers'),
    ' authorization_servers',
  ),
  inResource(
    'prm-no-server',
    'a name that is no URL',
    (json) => ({
      ...json,
      authorization_servers: ['auth', ...(json.authorization_servers as string[])],
    }),
    ' authorization_servers',
  ),
  inResource(
    'prm-bearer-methods',
    'tokens in the URL',
    (json) => ({ ...json, bearer_methods_supported: ['header', 'query'] }),
    ' bearer_methods_supported',
  ),
]

const challenges: readonly Broken[] = [
  refused('challenge-missing', 'a 401 without a challenge', {}, ' WWW-Authenticate'),
  {
    ...refused('challenge-missing', 'a 401 that is said to have one', {}, ' WWW-Authenticate'),
    text: (text) =>
      `${text}\nWithout a credential the API answers 401 with \`WWW-Authenticate\`.\n`,
  },
  refused(
    'challenge-no-metadata',
    'a challenge that leads nowhere',
    { 'www-authenticate': 'Bearer realm="api"' },
    ' WWW-Authenticate',
  ),
  refused(
    'challenge-malformed',
    'a path in the challenge',
    { 'www-authenticate': `Bearer resource_metadata="${prm}"` },
    ' WWW-Authenticate',
  ),
  refused('error-body', 'a page as error', good, '', html),
  refused('error-without-code', 'an error of words only', good, '', {
    message: 'Please send a key.',
  }),
  {
    rule: 'login-instead-of-401',
    what: 'a login page in the place of a 401',
    at: '/api',
    of: 'text',
    faults: (api) => [
      {
        name: 'agent_resource',
        status: 302,
        headers: { location: `${api.replace('//api.', '//auth.')}/login` },
      },
    ],
  },
]

const servers: readonly Broken[] = [
  {
    rule: 'as-unreadable',
    what: 'a server without metadata',
    at: metadata,
    of: 'metadata',
    faults: () => [{ name: 'agent_as_metadata', status: 404 }],
  },
  inServer('as-issuer-missing', 'metadata without issuer', 'issuer', without('issuer')),
  inServer('as-other-issuer', 'metadata of another issuer', 'issuer', (json) => ({
    ...json,
    issuer: 'http://auth.stranger.localhost',
  })),
  {
    rule: 'as-media-type',
    what: 'JSON that is called text',
    at: `${metadata} Content-Type`,
    of: 'metadata',
    server: (json) => ({ ...json, mediaType: 'text/plain' }),
  },
  inServer(
    'as-token-endpoint-missing',
    'no token endpoint',
    'token_endpoint',
    without('token_endpoint'),
  ),
  inServer(
    'as-response-types-missing',
    'no response types',
    'response_types_supported',
    without('response_types_supported'),
  ),
  inServer('as-pkce-unsaid', 'no PKCE', 'code_challenge_methods_supported', (json) => ({
    ...json,
    authorization_endpoint: `${json.issuer}/login`,
    grant_types_supported: [...(json.grant_types_supported as string[]), 'authorization_code'],
  })),
  {
    rule: 'as-keys-unreadable',
    what: 'keys that are not there',
    at: '/.well-known/jwks.json',
    of: 'metadata',
    faults: () => [{ name: 'agent_jwks', status: 404 }],
  },
  inServer(
    'metadata-relative-address',
    'a path as skill',
    'agent_auth.skill',
    agentAuth((block) => ({ ...block, skill: '/auth.md' })),
  ),
]

const blocks: readonly Broken[] = [
  inServer(
    'agent-auth-no-endpoint',
    'nowhere to register',
    'agent_auth',
    agentAuth(without('identity_endpoint')),
  ),
  inServer(
    'agent-auth-no-types',
    'no identity types',
    'agent_auth.identity_types_supported',
    agentAuth(without('identity_types_supported', 'identity_assertion')),
  ),
  inServer(
    'agent-auth-unknown-type',
    'a type that there is not',
    'agent_auth.identity_types_supported',
    agentAuth((block) => ({
      ...block,
      identity_types_supported: [...(block.identity_types_supported as string[]), 'human'],
    })),
  ),
  inServer(
    'agent-auth-assertion-types',
    'assertions of which kind',
    'agent_auth.identity_assertion.assertion_types_supported',
    agentAuth(without('identity_assertion')),
  ),
  inServer(
    'agent-auth-no-claim',
    'nowhere to claim',
    'agent_auth.claim_endpoint',
    agentAuth(without('claim_endpoint')),
  ),
  inServer(
    'agent-auth-no-exchange',
    'no grant for assertions',
    'grant_types_supported',
    without('grant_types_supported'),
  ),
  inServer('agent-auth-no-endpoint', 'a block that is a list', 'agent_auth', (json) => ({
    ...json,
    agent_auth: [json.agent_auth],
  })),
  inServer(
    'agent-auth-skill-dead',
    'a skill that is not there',
    'agent_auth.skill',
    agentAuth((block) => ({ ...block, skill: new URL('/docs/gone.md', String(block.skill)).href })),
  ),
  inServer('agent-auth-skill-missing', 'no skill', 'agent_auth.skill', agentAuth(without('skill'))),
  inServer(
    'agent-auth-skill-elsewhere',
    'a skill of a stranger’s',
    'agent_auth.skill',
    agentAuth((block) => ({ ...block, skill: 'http://stranger.localhost/auth.md' })),
  ),
  inServer(
    'agent-auth-register-is-oauth',
    'OAuth’s registration as register_uri',
    'agent_auth.register_uri',
    (json) =>
      agentAuth((block) => ({ ...block, register_uri: `${json.issuer}/oauth/register` }))({
        ...json,
        registration_endpoint: `${json.issuer}/oauth/register`,
      }),
  ),
  inServer(
    'agent-auth-older-version',
    'an older version',
    'agent_auth',
    agentAuth((block) => ({
      ...block,
      identity_assertion: { assertion_types_supported: ['verified_email'] },
    })),
  ),
]

function refused(
  rule: string,
  what: string,
  headers: Record<string, string>,
  at: string,
  body: unknown = { error: 'unauthorized', message: 'Send a credential.' },
): Broken {
  return {
    rule,
    what,
    at: `/${at}`,
    of: 'metadata',
    faults: (api) => [
      {
        name: 'agent_resource',
        status: 401,
        body,
        headers: {
          'content-type': typeof body === 'string' ? 'text/html' : 'application/json',
          ...(headers === good
            ? { 'www-authenticate': `Bearer resource_metadata="${api}${prm}"` }
            : headers),
        },
      },
    ],
  }
}

const relative = `# auth.md

You are an agent. A person makes a key for you.

## Get a key

* **claim_uri (interactive):** /settings/keys — the person signs in and makes an API key, shown once.

## Use the key

Send it in the header \`Authorization: Bearer <key>\` to every path below \`/api\`.

## Errors

A \`401\` means that the key is no longer good.

## Revocation

A key is deleted on the same page.
`

const silent = (api: string) => `# auth.md

For agents and other programs.

## Key

API keys are created at <${api}/settings/keys>, and shown once.

## Use

The base URL is \`${api}/api\`. Header: \`Authorization: Bearer <key>\`.

## Errors

A \`401\` means that the key is no longer good.

## Revocation

Keys are revoked at <${api}/settings/keys>.
`

const builders = `# Authentication for agents

How this project lets AI agents in, with an API key as \`Authorization: Bearer <key>\`.

## Architecture

The middleware in \`src/auth/middleware.ts\` reads the session from Redis and the \`users table\`. Passwords are
hashed with bcrypt. Run \`npm install\` and the migrations first. The implementation of the controllers is in
\`src/auth/controllers.ts\`, their unit tests in \`src/auth/controllers.test.ts\`.

## Database schema

\`\`\`sql
CREATE TABLE users (id uuid PRIMARY KEY, email text NOT NULL)
\`\`\`

## Testing

\`npm run test\`, or \`docker compose up\` for the framework and the database schema.
`

export { keyPage }

/** Every one of them is found once, and nothing else with it. */
export const broken: readonly Broken[] = [
  ...documents,
  ...lifecycle,
  ...labels,
  ...endpoints,
  ...links,
  ...steps,
  ...consistency,
  ...resources,
  ...challenges,
  ...servers,
  ...blocks,
]
