/** The auth.md of a service whose keys a person makes, with nothing wrong in it. */
export const keyPage = (api: string): string => `# auth.md

You are an agent that is to call the API of Plain Things for a person. This page says how you get a key.

## Get a key

There is no registration that an agent could do by itself. Ask the person you work for:

* **claim_uri (interactive):** <${api}/settings/keys> — they sign in and make an API key, which is shown once.

They put it into your secret store as \`PLAIN_API_KEY\`, never into a chat.

## Use the key

The base URL is \`${api}/api\`. Every request carries the key:

\`\`\`http
GET ${api}/api/resource HTTP/1.1
Authorization: Bearer $PLAIN_API_KEY
\`\`\`

## Errors

* \`401\`: the key is missing or no longer good. Drop it and ask for another.
* \`403\`: the key may not do this.

## Revocation

* **revocation_uri (interactive):** <${api}/settings/keys> — a deleted key stops working at once.
`

/** The auth.md of a service where an agent signs up by one request, with nothing wrong in it. */
export const signUp = (api: string): string => `# auth.md

You are an agent. One request gets you an API key here, and nobody is asked.

## Register

* **register_uri (programmatic):** \`POST ${api}/api/agents\`

\`\`\`http
POST ${api}/api/agents
Content-Type: application/json

{ "name": "<name of your agent>" }
\`\`\`

The answer is \`201\`:

\`\`\`json
{ "id": "agt_…", "api_key": "plain_…" }
\`\`\`

The key is shown once: store it first.

## Use the key

The base URL is \`${api}/api\`. Send the header \`Authorization: Bearer <api_key>\`.

## Errors

A \`401\` means that the key is no longer good, a \`409\` that the name is taken.

## Revocation

* **revocation_uri (programmatic):** \`DELETE ${api}/api/agents/me\` ends the key.
`
