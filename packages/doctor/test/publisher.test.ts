import { describe, expect, it } from 'vitest'
import { diagnose, type Finding } from '../src/index.ts'
import { keyPage, signUp } from './texts.ts'

const api = 'https://api.things.test'

const findingsOf = async (text: string): Promise<readonly Finding[]> =>
  (await diagnose({ text })).findings

const shortly = async (text: string): Promise<readonly string[]> =>
  (await findingsOf(text)).map(({ place, rule }) => `${place.line} ${rule}`)

/** What a finding points at, as it stands in the text. */
const lineAt = (text: string, { place }: Finding) => text.split('\n')[(place.line ?? 0) - 1]

const withBlock = (block: object, fence = 'json', wrapped = true) =>
  signUp(api).replace(
    '## Use the key',
    `## agent_auth\n\nThe server's metadata has this block:\n\n\`\`\`${fence}\n${JSON.stringify(
      wrapped ? { issuer: api, agent_auth: block } : block,
      null,
      2,
    )}\n\`\`\`\n\n## Use the key`,
  )

const block = {
  skill: `${api}/auth.md`,
  identity_endpoint: `${api}/agent/identity`,
  identity_types_supported: ['anonymous'],
}

describe('points at the line that is meant', () => {
  it('of a member in a copy of metadata', async () => {
    const text = withBlock({
      ...block,
      skill: '/auth.md',
      identity_types_supported: ['anonymous', 'identity_assertion', 'human'],
    })
    const findings = await findingsOf(text)
    expect(findings.map((one) => [one.rule, lineAt(text, one)?.trim().split(':')[0]])).toEqual([
      ['metadata-relative-address', '"skill"'],
      ['agent-auth-unknown-type', '"identity_types_supported"'],
      ['agent-auth-assertion-types', '"identity_types_supported"'],
    ])
  })

  it('of a host that stands for another, in a block', async () => {
    const text = withBlock({ ...block, skill: 'https://service.example.com/auth.md' }).replaceAll(
      `${api}/agent/identity`,
      'https://auth.service.example.com/agent/identity',
    )
    const [finding, ...more] = await findingsOf(text)
    expect([finding?.rule, more]).toEqual(['document-placeholder', []])
    expect(finding && lineAt(text, finding)).toMatch(/service\.example\.com/)
  })

  it('of the credential in an answer', async () => {
    const text = signUp(api)
      .replace('{ "id": "agt_…", "api_key"', '{\n  "id": "agt_…",\n  "api_key"')
      .replace('The key is shown once: store it first.', '')
    const [finding] = await findingsOf(text)
    expect(finding?.rule).toBe('shown-once-unsaid')
    expect(finding && lineAt(text, finding)).toContain('"api_key"')
  })
})

describe('gives what this publisher can write', () => {
  const older = (types: readonly string[], more: object = {}) =>
    withBlock({
      skill: `${api}/auth.md`,
      register_uri: `${api}/agent/auth`,
      identity_types_supported: types,
      identity_assertion: {
        assertion_types_supported: ['urn:ietf:params:oauth:token-type:id-jag'],
      },
      ...more,
    })
  const textOf = async (text: string) =>
    (await findingsOf(text)).find(({ rule }) => rule === 'agent-auth-older-version')

  it('for an older block: its own host, and no way that it does not offer', async () => {
    const finding = await textOf(older(['identity_assertion']))
    expect(finding?.fix).not.toContain('verified_email')
    expect(finding?.text).toBe(
      `"identity_endpoint": "${api}/agent/identity",\n"identity_types_supported": ["identity_assertion"]`,
    )
  })

  it('for an older block with e-mail addresses and a claim', async () => {
    const finding = await textOf(
      older(['anonymous', 'identity_assertion'], {
        claim_uri: `${api}/agent/auth/claim`,
        identity_assertion: { assertion_types_supported: ['verified_email'] },
      }),
    )
    expect(finding?.fix).toContain('verified_email')
    expect(finding?.text).toBe(
      `"identity_endpoint": "${api}/agent/identity",\n"claim_endpoint": "${api}/agent/identity/claim",\n"identity_types_supported": ["anonymous", "service_auth"]`,
    )
  })

  const withoutMode = (address: string) =>
    keyPage(api)
      .replace(
        /\* \*\*claim_uri \(interactive\):\*\* .*/,
        `* **claim_uri:** ${address} — the key is shown once.`,
      )
      .replace('Ask the person you work for:', 'It is had here:')
      .replace('They put it', 'It is put')
  it('for a label without a mode: what its address says, else both', async () => {
    const modes = async (address: string) => {
      const found = (await findingsOf(withoutMode(address))).find(
        ({ rule }) => rule === 'label-without-mode',
      )
      return found?.text
    }
    const page = `${api}/account/keys`
    expect(await modes(`<${page}>`)).toBe(`* **claim_uri (interactive):** <${page}>`)
    const open = `${api}/v1/issue`
    expect(await modes(`<${open}>`)).toBe(
      `* **claim_uri (programmatic):** <${open}>\nor, where a person goes there:\n* **claim_uri (interactive):** <${open}>`,
    )
  })
})

describe('says nothing of a mode where the words around tell who goes there', () => {
  it.each([
    ['in the next paragraph', '\n\nA human operator makes the key and stores it for the agent.'],
    ['of the same address elsewhere', `\n\n## Later\n\nSend the user to <${api}/account/keys>.`],
  ])('%s', async (_, more) => {
    const text = (end: string) => `# auth.md

You are an agent. This page says how a key is had.

## Claim

**claim_uri:** <${api}/account/keys>${end}

## Use

The base URL is \`${api}/v1\`. Send \`Authorization: Bearer <key>\`.

## Errors

A \`401\` means that the key is no longer good. Keys are revoked on the same page.
`
    expect(await shortly(text(''))).toContain('7 label-without-mode')
    expect(await shortly(text(more))).toEqual([])
  })
})

describe('is not put at ease by a word of another meaning', () => {
  const unsaid = (words: string) =>
    signUp(api).replace('The key is shown once: store it first.', words)
  it.each([
    'You need not stop and ask again before you go on.',
    'The person may keep the account, and is checked against our list.',
  ])('whether a key is shown again: %s', async (words) => {
    expect(await shortly(unsaid(words))).toEqual(['19 shown-once-unsaid'])
  })
  it.each(['The key cannot be shown again.', 'Keep the key: nobody else has it.'])(
    'but by what is said of it: %s',
    async (words) => {
      expect(await shortly(unsaid(words))).toEqual([])
    },
  )

  it('what goes wrong, where a new key invalidates the old one', async () => {
    const text = keyPage(api).replace(
      /## Errors[\s\S]*?## Revocation/,
      'A new key invalidates the old one.\n\n## Revocation',
    )
    expect(await shortly(text)).toEqual(['1 errors-missing'])
  })

  it('how a key is ended, where the answer says that it never expires', async () => {
    const text = signUp(api)
      .replace('"plain_…" }', '"plain_…", "expires_in": null }')
      .replace(/\n## Revocation[\s\S]*/, '')
    expect(await shortly(text)).toEqual(['1 revocation-missing'])
    expect(await shortly(text.replace('null', '86400'))).toEqual([])
  })

  it('how a key is ended, where an error tells that it was', async () => {
    const text = signUp(api)
      .replace(/\n## Revocation[\s\S]*/, '')
      .replace('A `401` means', 'A `410` means that your puzzle has expired, a `401`')
      .replace('is no longer good', 'was revoked')
    expect(await shortly(text)).toEqual(['1 revocation-missing'])
  })
})

it('leaves to metadata only what OAuth says of its tokens, nothing of a key', async () => {
  const said = `The server's metadata is at \`${api}/.well-known/oauth-authorization-server\`.`
  const bare = (text: string) =>
    text.replace(/\n## Revocation[\s\S]*/, '').replace(/## Errors[\s\S]*/, said)
  expect(await shortly(bare(signUp(api)))).toEqual(['1 revocation-missing', '1 errors-missing'])
  const oauth = `# auth.md

You are an agent. Register a client by OAuth's dynamic client registration (RFC 7591), then use the
authorization code flow with PKCE. ${said}

The base URL is \`${api}/v1\`.
`
  expect(await shortly(oauth)).toEqual([])
})

it('wants a host for a credential, where the text has paths only', async () => {
  const paths = keyPage(api)
    .replaceAll(`${api}/settings/keys`, '/settings/keys')
    .replaceAll(api, '')
    .replace('The base URL is', 'All paths are below')
    .replace('**claim_uri (interactive):**', 'At')
    .replace('**revocation_uri (interactive):**', 'At')
  expect(await shortly(paths)).toContain('13 use-address-missing')
  const named = paths.replace('Plain Things', `Plain Things (<${api}>)`)
  expect(await shortly(named)).not.toContain('13 use-address-missing')
})

it('says once that a text breaks off in a block of code, and nothing of what is missing then', async () => {
  const [whole = ''] = keyPage(api).split('Authorization: Bearer')
  expect(await shortly(`${whole}X-Trace: 1`)).toEqual(['17 document-cut-off'])
  expect(await shortly(`${whole}X-Trace: 1\n`)).toEqual(['17 document-cut-off'])
  const closed = await shortly(`${whole}X-Trace: 1\n\`\`\``)
  expect(closed).toContain('1 errors-missing')
  expect(closed).not.toContain('17 document-cut-off')
})

it('reads a block that stands under its name without being wrapped in it', async () => {
  const text = withBlock({ ...block, skill: 'Read lists, or sign in to write.' }, 'json', false)
  const findings = await findingsOf(text)
  expect(findings.map((one) => [one.rule, one.place.at])).toEqual([
    ['metadata-relative-address', 'agent_auth.skill'],
  ])
  expect(findings[0] && lineAt(text, findings[0])).toContain('"skill"')
})

describe('holds a copy of the metadata of the resource against the text', () => {
  const withResource = (resource: string) =>
    keyPage(api).replace(
      '## Use the key',
      `## Discover\n\n\`\`\`json\n{\n  "resource": "${resource}",\n  "bearer_methods_supported": ["header"]\n}\n\`\`\`\n\n## Use the key`,
    )
  it('whose resource is not what is called', async () => {
    const text = withResource('https://docs.things.test')
    const [finding, ...more] = await findingsOf(text)
    expect([finding?.rule, more]).toEqual(['resource-differs', []])
    expect(finding && lineAt(text, finding)).toContain('"resource"')
  })
  it('whose resource is', async () => {
    expect(await shortly(withResource(`${api}/`))).toEqual([])
  })
})

describe('holds the place of a server’s metadata against the issuer that the text names', () => {
  const oauth = (place: string, issuer: string) => `# auth.md

You are an agent. Register a client by OAuth's dynamic client registration (RFC 7591), then use the
authorization code flow with PKCE.

- **Issuer:** \`${issuer}\`
- The server's metadata: \`${place}\`

The base URL is \`${api}/v1\`.
`
  const wellKnown = `${api}/.well-known`
  it.each([
    `${wellKnown}/oauth-authorization-server`,
    `${wellKnown}/openid-configuration`,
    `${wellKnown}/oauth-authorization-server/other`,
  ])('which has a path that is not in it: %s', async (place) => {
    const text = oauth(place, `${api}/auth`)
    const [finding, ...more] = await findingsOf(text)
    expect([finding?.rule, more]).toEqual(['as-other-issuer', []])
    expect(finding && lineAt(text, finding)).toContain(place)
    expect(finding?.text).toBe(`${wellKnown}/oauth-authorization-server/auth`)
  })
  it.each([
    [`${wellKnown}/oauth-authorization-server/auth`, `${api}/auth`],
    [`${api}/auth/.well-known/openid-configuration`, `${api}/auth/`],
    [`${wellKnown}/oauth-authorization-server`, api],
    ['https://other.test/.well-known/oauth-authorization-server', `${api}/auth`],
  ])('and where it belongs it is right: %s of %s', async (place, issuer) => {
    expect(await shortly(oauth(place, issuer))).not.toContainEqual(
      expect.stringContaining('as-other-issuer'),
    )
  })
})

describe('reads a block in YAML as one in JSON', () => {
  const yaml = (lines: string) =>
    signUp(api).replace(
      '## Use the key',
      `\`\`\`yaml\n# As in the metadata.\nagent_auth:\n${lines}\n\`\`\`\n\n## Use the key`,
    )
  it('with its lines', async () => {
    const text = yaml(
      `  skill: ${api}/auth.md\n  register_uri: "${api}/signup" # a page\n  identity_types_supported:\n    - human`,
    )
    const findings = await findingsOf(text)
    expect(findings.map((one) => [one.rule, lineAt(text, one)?.trim().split(':')[0]])).toEqual([
      ['agent-auth-register-is-oauth', 'register_uri'],
      ['agent-auth-unknown-type', 'identity_types_supported'],
    ])
  })
  it.each([
    ['that refers to itself', '  a: &a [*a, *a]\n  identity_types_supported: [human]'],
    ['that is none', '  a: [\n  identity_types_supported: [human]'],
    ['with a tag of a program', '  a: !!js/function "() => 1"'],
  ])('and leaves one alone %s', async (_, lines) => {
    expect(await shortly(yaml(lines))).toEqual([])
  })
})

describe('does not want a credential in the address of a redirect', () => {
  const redirected = (words: string) => keyPage(api).replace('They put it', `${words} They put it`)
  it.each([
    'Then the service\nredirects back with a `token` query parameter.',
    'The browser is redirected to you with the access token in the fragment.',
  ])('where it is said to come: %s', async (words) => {
    const text = redirected(words)
    const [finding, ...more] = await findingsOf(text)
    expect([finding?.rule, more]).toEqual(['key-in-address', []])
    expect(finding && lineAt(text, finding)).toContain('redirect')
  })
  it.each([
    'The service redirects back with a `code` query parameter.',
    'A redirect with a code follows. The token is no query parameter.',
  ])('and has nothing against a code: %s', async (words) => {
    expect(await shortly(redirected(words))).toEqual([])
  })
})

it('tells a sentence from a path, where an address should be', async () => {
  const fix = async (skill: string) => (await findingsOf(withBlock({ ...block, skill })))[0]?.fix
  expect(await fix('/auth.md')).toBe('Write the whole address.')
  expect(await fix('Read lists.')).toContain('the sentence into the text')
})

it('does not take a page that says when to use it for how a key is used', async () => {
  const text = keyPage(api)
    .replace('## Get a key', '## Use this page when\n\n- you have no key\n\n## Get a key')
    .replace(/Every request carries the key:[\s\S]*?```\n\n/, '')
    .replace(`${api}/api`, 'known')
  expect(await shortly(text)).toContain('17 use-header-missing')
})

describe('wants the address of a page where keys are made', () => {
  const vague = (words: string) =>
    keyPage(api)
      .replace(/There is no registration[\s\S]*?(?=They put)/, `${words}\n\n`)
      .replace(/\* \*\*revocation_uri.*/, 'A key that is revoked there stops working at once.')
  it('of which only the name is given', async () => {
    const text = vague('A person creates an API key in the dashboard: Settings, then API keys.')
    expect(await shortly(text)).toEqual(['7 claim-address-missing'])
  })
  it('at the line that speaks of it', async () => {
    const text = vague(
      'Read what a person can see.\n\n- A plan\n- Then, in the dashboard,\n  create an API key.',
    )
    expect(await shortly(text)).toEqual(['11 claim-address-missing'])
  })
  it.each([
    `A person creates an API key in the dashboard: <${api}/settings/keys>.`,
    `People get a link by mail at ${api}/login.\n\nAgents use an API key that is generated from the dashboard.`,
    `* **register_uri (interactive):** <${api}/join> — a person joins.\n\nThen they create an API key in the dashboard.`,
  ])('and is content with one that leads there: %s', async (words) => {
    expect(await shortly(vague(words))).toEqual([])
  })
})
