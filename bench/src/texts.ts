export const MiB: number = 1024 * 1024

/** JSON as an API lists things, of at least so many bytes and hardly more. */
export function listing(bytes: number): string {
  const entries: string[] = []
  let length = 0
  for (let at = 0; length < bytes; at++) {
    const entry = JSON.stringify({
      id: `num_${(at * 2_654_435_761) % 4_294_967_296}`,
      phone_number: `+1312555${String(at % 10_000).padStart(4, '0')}`,
      region: { locality: 'Chicago', state: 'IL', country: 'US' },
      features: ['sms', 'voice', 'fax'],
      note: `He said "call me at ${at % 24}:00", twice.\nThen nothing more.`,
      href: `https://api.vendor.example/v2/numbers/${at}?page%5Bsize%5D=3`,
    })
    entries.push(entry)
    length += entry.length + 1
  }
  return `{"data":[${entries.join(',')}]}`
}

/** A page as services write it, of at least so many bytes: the same sections again and again, each about another thing. */
export function authMdText(bytes: number): string {
  let text = '# Agent authentication (auth.md)\n\n'
  for (let at = 1; text.length < bytes; at++) {
    text += `## Part ${at}: how an agent gets access

Call the API at \`https://api.vendor.example/v${at}\` with a key in the header \`Authorization: Bearer\`.
There is **one** way for all of it, described [here](https://docs.vendor.example/part-${at}).

* **register_uri:** [\`https://api.vendor.example/v${at}/agents\`](https://api.vendor.example/v${at}/agents)
* **claim_uri:** \`https://vendor.example/keys/${at}\`, opened by a person

| field | what it is | required |
| ----- | ---------- | -------- |
| \`name\` | what the agent is called | yes |
| \`purpose\` | one sentence | no |

\`\`\`http
POST https://api.vendor.example/v${at}/agents
Content-Type: application/json

{ "name": "scribe", "purpose": "It writes notes." }
\`\`\`

A key that is not known is answered with \`401\`, one that may not do this with \`403\`. Keys are ended at
\`https://vendor.example/keys/${at}\` and stop working at once.

`
  }
  return text
}

const filled = (unit: string) => (bytes: number) => unit.repeat(Math.ceil(bytes / unit.length))

/** Texts on which parsers of Markdown take the square of their length. */
export const hostile: readonly (readonly [string, (bytes: number) => string])[] = [
  ['nested lists', filled('- ')],
  ['nested quotes', filled('> > > > > >x\n\n')],
  ['open brackets', filled('[[[[[[[[[\n')],
  ['open emphasis', filled('*a **a _b\n')],
  ['open comments', filled('x <!--\n')],
  ['table heads', filled('|a|b|\n|-|-|\n')],
]
