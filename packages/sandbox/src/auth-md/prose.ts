import { claimEndpoint } from './answers.ts'
import { type Dialect, idJagType, jwtBearer } from './dialects.ts'
import { type AuthMd, supportedScopes } from './state.ts'

/** The service's `/auth.md`. */
export function authMdText(site: AuthMd): string {
  const { api, issuer, dialect, version } = site
  const { discovery, paths } = dialect
  const claim = discovery.register === 'register_uri' ? 'claim_uri' : 'claim_endpoint'
  if (version === 'rfc7591') return oauthOnly(site)
  const exchanged = dialect.gives === 'assertion'
  return `# auth.md

How an agent gets access to the API at ${api}. ${discover(site)}

* **${label(discovery.register)} (programmatic):** <${issuer}${paths.register}>
* **${label(claim)} (programmatic):** <${claimEndpoint(site)}>
${exchanged ? `* **token\\_endpoint (programmatic):** <${issuer}/oauth2/token>\n` : ''}
Scopes: ${supportedScopes.map((scope) => `\`${scope}\``).join(', ')}.

## Step 2 — Pick a method

${methods(dialect)}

## Step 3 — Register

\`\`\`http
POST ${new URL(issuer + paths.register).pathname}
Content-Type: application/json

${JSON.stringify(example(dialect))}
\`\`\`

## Step 4 — Claim ceremony

${ceremonyText(site)}

${
  exchanged
    ? `## Step 5 — Exchange the assertion

\`POST ${issuer}/oauth2/token\` with \`grant_type=${jwtBearer}\` and the \`assertion\` gives an \`access_token\`. The assertion can be exchanged again until it expires.${dialect.refresh ? ' Afterwards register with `type` `refresh` and the refresh token, which is good once.' : ''}

## Step 6 — Use the access_token`
    : '## Step 5 — Use the credential'
}

Send it as \`Authorization: Bearer …\` to ${api}. After a 401 ${exchanged ? 'exchange the assertion once more' : 'throw it away and start again'}.

## Errors

\`/agent/*\` answers with \`error\` and \`message\`${exchanged ? ', `/oauth2/*` with `error` and `error_description`' : ''}.

## Revocation

${exchanged ? `\`POST ${issuer}/oauth2/revoke\` with the \`token\` ends that one access token.` : 'An agent cannot end its credential by itself.'}
`
}

/** Where the endpoints stand: in metadata, which this page explains, or nowhere but here. */
function discover({ api, issuer, options }: AuthMd): string {
  if (options.textOnly) return 'All that is needed stands on this page.\n\n## Step 1 — Endpoints'
  return `The metadata named below is binding; this page explains it.

## Step 1 — Discover

### 1a. The resource

\`GET ${api}/.well-known/oauth-protected-resource\` names the authorization server, ${issuer}.
A call of the API without a credential is answered with 401 and points at the same document.

### 1b. The authorization server

\`GET ${issuer}/.well-known/oauth-authorization-server\` has a block \`agent_auth\`:`
}

function label(name: string): string {
  return name.replaceAll('_', '\\_')
}

function methods({ methods: known, emailType, stepUp }: Dialect): string {
  const texts = {
    identity_assertion: `- \`identity_assertion\`: your provider vouches for the user with an ID-JAG (\`assertion_type\` \`${idJagType}\`).${stepUp ? ' Where the user has an account here already, they are asked once.' : ''}`,
    service_auth:
      emailType === 'service_auth'
        ? '- `service_auth`: you know the user’s mail address and send it as `login_hint`.'
        : '- `identity_assertion` with `assertion_type` `verified_email`: you know the user’s mail address.',
    anonymous:
      '- `anonymous`: you know nobody. You may read until a person claims the registration.',
  }
  return known.map((method) => texts[method]).join('\n')
}

function example({ methods: known, gives }: Dialect): Record<string, string> {
  if (!known.includes('anonymous'))
    return { type: 'service_auth', login_hint: 'user@agents.example' }
  if (gives === 'assertion') return { type: 'anonymous' }
  return { type: 'anonymous', requested_credential_type: 'api_key' }
}

function ceremonyText(site: AuthMd): string {
  const { dialect, issuer } = site
  const complete = `\`POST ${claimEndpoint(site)}/complete\``
  const again = `\`POST ${claimEndpoint(site)}\``
  switch (dialect.ceremony) {
    case 'mailed-link':
      return `The user gets a mail with a link to a page that shows six digits. Ask for them and send ${complete} with \`claim_token\` and \`otp\`. For an anonymous registration ask for the mail with ${again}, \`claim_token\` and \`email\`.`
    case 'typed':
      return `Show the user the \`verification_uri\` and the \`user_code\`, which they type there. Poll \`${issuer}/oauth2/token\` with \`grant_type=${dialect.grants.claim}\` and the \`claim_token\`, no more often than \`interval\` seconds. ${again} gives a new code.`
    case 'read-back':
      return `Show the user the \`verification_uri\`. When they have confirmed, the page shows them six digits: ask for them and send ${complete} with \`claim_token\` and \`user_code\`. ${again} gives a new link.`
    case 'mailed-code':
      return `The user gets six digits by mail. Ask for them and send ${complete} with \`claim_token\` and \`user_code\`, then ask \`${issuer}/oauth2/token\` once with \`grant_type=${dialect.grants.claim}\`.`
  }
}

function oauthOnly({ api, dialect }: AuthMd): string {
  const { more = {} } = dialect.discovery
  return `# auth.md

This API speaks OAuth. Register a client at \`${String(more.register_uri)}\` (RFC 7591), then send the user to \`${String(more.claim_uri)}\`.
There is no registration for agents at ${api}.
`
}
