import { describe, expect, it } from 'vitest'
import { diagnose } from '../src/index.ts'

const shortly = async (text: string): Promise<readonly string[]> =>
  (await diagnose({ text })).findings.map(({ place, rule }) => `${place.line} ${rule}`)

const send = 'Send `Authorization: Bearer <key>` with every request to `https://api.luke.test/v1`.'
const ends = 'and revokes it there'

/** A short text with nothing wrong in it. */
const base = `# auth.md

You are an agent. A person makes a key at <https://luke.test/settings/keys> ${ends}. ${send} \`401\`: the key is gone.
`
const instead = (old: string, other: string) => base.replace(old, other)
const also = (more: string) => `${base}\n${more}\n`

describe('finds nothing where it is said in these words', () => {
  it.each<[string, string]>([
    ['as it stands', base],
    // Where a credential goes.
    ['send a header to', instead('with every request to', 'to')],
    [
      'another header',
      instead(send, 'Send the header `X-Api-Key: <key>` to `https://api.luke.test`.'),
    ],
    [
      'call with',
      instead(send, 'Call `https://api.luke.test/v1` with `Authorization: Bearer <key>`.'),
    ],
    [
      'use it on',
      instead(send, 'Use it as `Authorization: Bearer <key>` on `https://api.luke.test`.'),
    ],
    // How it ends.
    ['keys are deleted', instead(ends, '').concat('\nKeys are deleted on the same page.\n')],
    ['disable it', instead(ends, 'and can disable it there')],
    ['Schlüssel löschen', instead(ends, '').concat('\nDen Schlüssel kann man dort löschen.\n')],
    [
      'by a request',
      instead(ends, '').concat('\n```http\nDELETE https://api.luke.test/v1/keys/<id>\n```\n'),
    ],
    [
      'by curl',
      instead(ends, '').concat('\n```bash\ncurl -X DELETE https://api.luke.test/v1/me\n```\n'),
    ],
    // In other languages.
    [
      'German',
      `# auth.md

Du bist ein Agent. Ein Mensch legt unter <https://luke.test/settings/keys> einen Schlüssel an; er wird einmal angezeigt und dort gelöscht. Sende ihn mit jeder Anfrage an \`https://api.luke.test/v1\` in der Kopfzeile \`X-Api-Key\`. \`401\`: Der Schlüssel ist gelöscht.
`,
    ],
    [
      'Spanish',
      `# auth.md

Eres un agente. Una persona crea una clave en <https://luke.test/settings/keys> y la clave se elimina allí. Envíala con todas las peticiones a \`https://api.luke.test/v1\` en la cabecera \`X-Api-Key\`. \`401\`: la clave ya no sirve.
`,
    ],
    // What is not so, or not any longer.
    ['a parameter that is gone', also('The query parameter `?api_key=` is no longer accepted.')],
    ['a parameter that is refused', also('Do not put the key in the URL as `?api_key=<key>`.')],
    ['a redirect without it', also('We never redirect with a token in the query.')],
    [
      'a step outside a browser',
      also(
        '* **register_uri (programmatic):** <https://api.luke.test/v1/agents> — `POST`; nothing here happens in a browser.',
      ),
    ],
    // Addresses that are not one.
    [
      'one in each answer',
      also(
        '* **claim_uri (interactive):** the `claim_url` of the answer. Pass it on to the person.',
      ),
    ],
    ['kein', also('* **register_uri:** keine – ein Mensch legt den Schlüssel an')],
    ['entfällt', also('* **register_uri:** entfällt, ein Mensch legt den Schlüssel an')],
    [
      'one in each environment',
      also(
        '## Production\n\n* **token_endpoint:** <https://auth.luke.test/token>\n\n## Sandbox\n\n* **token_endpoint:** <https://auth.sandbox.luke.test/token>',
      ),
    ],
    // What people see, and what nobody takes for a note or a key.
    ['an emoji of several', also('Built with care 👩‍💻.')],
    ['Persian', also('این صفحه می‌شود.')],
    ['a list with that name', also('There are three lists, INBOX, TODO and DONE.')],
    [
      'a published example',
      also('`Authorization: Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW` is no key of ours.'),
    ],
    ['capitals of Portuguese', also('SÃO PAULO, «IRMû, NÃO.')],
  ])('%s', async (_, text) => {
    expect(await shortly(text)).toEqual([])
  })
})

describe('finds what these words do not say', () => {
  it.each<[string, string, string[]]>([
    [
      'a base URL on http',
      instead(send, 'Send `Authorization: Bearer <key>` to `http://api.luke.test/v1`.'),
      ['3 endpoint-http'],
    ],
    ...['SchlÃ¼ssel', 'contraseÃ±a', 'rÃ©voquÃ©e', 'heute â€“ morgen', 'GrÃ¶ÃŸe'].map(
      (word): [string, string, string[]] => [word, also(word), ['5 document-encoding']],
    ),
    [
      'a key in the query of an example',
      also('```bash\ncurl "https://api.luke.test/v1/x?api_key=$KEY"\n```'),
      ['6 key-in-address'],
    ],
    [
      'a key in the query, and no other way',
      instead(send, 'The API is at `https://api.luke.test/v1`:').concat(
        '\n```http\nGET https://api.luke.test/v1/hatches?access_token=<token>\n```\n',
      ),
      ['6 key-in-address'],
    ],
    [
      'a code that expires, not a key',
      instead(ends, '').concat('\nThe page shows a code. `410`: the code has expired.\n'),
      ['1 revocation-missing'],
    ],
    [
      'that a claim token is no key',
      `# auth.md

You are an agent.

* **register_uri (programmatic):** <https://api.luke.test/agents> — \`POST\`; gives \`claim_token\` and \`key\`. The \`claim_token\` is not a key.

Call \`https://api.luke.test/v1\` with the key.
`,
      ['1 use-header-missing', '1 revocation-missing', '1 errors-missing'],
    ],
    [
      'whose address it is, where the base URL was never filled in',
      instead('https://api.luke.test/v1', 'https://api.example.com/v1'),
      ['3 document-placeholder'],
    ],
    [
      'an endpoint on http in a block, at its line',
      also(
        '```json\n{\n  "agent_auth": {\n    "identity_endpoint": "http://auth.luke.test/agent"\n  }\n}\n```',
      ),
      ['8 endpoint-http'],
    ],
    [
      'a label without marks',
      also('- token_endpoint: `http://auth.luke.test/token`'),
      ['5 endpoint-http'],
    ],
    [
      'a name of it that is nearly right',
      also('- claims_url (interactive): https://luke.test/c'),
      ['5 label-misspelt'],
    ],
    [
      'two values of one label',
      also(
        '## One\n\n* **token_endpoint:** <https://auth.luke.test/token>\n\n## Two\n\n* **token_endpoint:** <https://auth.luke.test/token2>',
      ),
      ['11 label-contradiction'],
    ],
  ])('%s', async (_, text, expected) => {
    expect(await shortly(text)).toEqual(expected)
  })
})

it.each([
  [
    '{ "agent_auth": { "identity_endpoint": "https://luke.test/a", "claims_url": "https://luke.test/c" } }',
    'claim_endpoint',
  ],
  [
    '{ "agent_auth": { "register_uri": "https://luke.test/a", "claims_url": "https://luke.test/c" } }',
    'claim_uri',
  ],
])('names what a name of its version should be: %s', async (block, right) => {
  const { findings } = await diagnose({ text: also(`\`\`\`json\n${block}\n\`\`\``) })
  expect(findings.find(({ rule }) => rule === 'label-misspelt')?.text).toBe(right)
})
