import type { TelnyxUrls } from './state.ts'

/** The service's auth.md, with the structure and the Markdown oddities of the real one. */
export function authMd({ api, developers, portal, site }: TelnyxUrls): string {
  const link = (url: string) => `[\`${url}\`](${url})`
  const keys = `${portal}/#/app/api-keys`
  return `> ## Documentation Index
> All pages of this site are listed at: ${developers}/llms.txt
> Look there first when you need something that this page does not say.

# Agent authentication (auth.md)

> Where an agent gets a Telnyx API key from, how it presents the key, what can go wrong and how the key is ended.

Written for programs, in the manner of the [auth.md convention](https://workos.com/auth-md). The sections below go from finding out to giving up a credential.

## Discover

* Protected-resource metadata (RFC 9728) is at ${link(`${api}/.well-known/oauth-protected-resource`)} and names the \`resource\` and its \`authorization_servers\`.
* There is no \`agent_auth\` block in the authorization-server metadata so far, and a 401 comes without a \`WWW-Authenticate: Bearer resource_metadata="…"\` hint — what counts is this page.
* For machines: [llms.txt](${developers}/llms.txt) · [agent access](${site}/.well-known/agent-access.json)

## Pick a method

There is **one** method for every product: **Bearer API keys**. Neither \`identity_assertion\` flows nor \`id-jag\` token exchange are offered at present; an anonymous registration with trial credit is.

## Register

* **register\\_uri (programmatic):** ${link(`${site}/agent-signup.md`)} — a sign-up by challenge that an agent can do by itself; the account becomes active once the mail address is confirmed.
* **Interactive:** [create an account](${site}/sign-up) (trial credit included, no card asked for) and look after it in the [portal](${portal}).

## Claim the credential

* **claim\\_uri (interactive):** ${link(keys)} — make a V2 API key there and copy it at once, it is shown that one time.
* For the programmatic way the sign-up page above says how.

## Use the credential

Every request to \`${api}/v2\` carries the key as a Bearer token:

\`\`\`bash theme={null}
curl ${api}/v2/available_phone_numbers \\
  -H "Authorization: Bearer $TELNYX_API_KEY"
\`\`\`

The MCP server at \`${api}/v2/mcp\` (streamable-http transport) takes the same key.

## Errors

* \`401 Unauthorized\` — no key, or one that is not known (there is no \`WWW-Authenticate\` header in the answer; look at your \`Authorization: Bearer\` header)
* \`403 Forbidden\` — a good key that may not do this
* The body of an error is JSON: \`{"errors": [{"code": "…", "title": "…", "detail": "…"}]}\`

## Revocation

* **revocation\\_uri (interactive):** ${link(keys)} — a key that is deleted or rotated there stops working immediately.
* Replace every key that others may have seen, and give each integration a scoped key of its own.
`
}
