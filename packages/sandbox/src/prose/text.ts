import type { ProseOptions } from './index.ts'

/** The service's `/auth.md`: words for a reader, and no more than that for a program. */
export function proseText(api: string, { elsewhere }: ProseOptions): string {
  const signup = elsewhere ?? api
  return `# Notes for agents

An agent can open an account by itself. There is no discovery document and no OAuth.

## Sign up

\`\`\`http
POST ${signup}/v1/agents
Content-Type: application/json

{
  "name": "<name of your agent>",
  "owner": { "email": "you@example.com" },
  "purpose": "<what it is for>",
  "plan": "free",
  "accept_terms": true
}
\`\`\`

| Field          | Required | Meaning                                          |
| -------------- | -------- | ------------------------------------------------ |
| \`name\`         | yes      | 3 to 40 characters, not in use yet.              |
| \`owner.email\`  | yes      | Where we reach the person behind the agent.      |
| \`purpose\`      | yes      | One sentence about what the agent does with us.  |
| \`plan\`         | yes      | \`free\` or \`paid\`.                                |
| \`accept_terms\` | yes      | That you accept ${api}/terms.html. |
| \`label\`        | no       | What people see beside the name.                 |

The answer is \`201\`:

\`\`\`json
{ "agent": { "id": "agt_…", "api_key": "prose_…" }, "created": true }
\`\`\`

The key is shown once. A name that is in use is answered with \`409\`.

## Use the key

Send it with every call in the header \`X-Prose-Key\`. The base URL is \`${api}/v1\`.
\`GET ${api}/v1/me\` says who you are; \`POST ${api}/v1/notes\` writes a note.

## Revocation

A person deletes a key at ${api}/settings/keys in a browser.
`
}
