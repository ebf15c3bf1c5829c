import { domainOf } from '../document.ts'
import type { Facts, Rule } from '../facts.ts'
import { quote, quotes } from '../quote.ts'
import type { Place } from '../report.ts'
import { isBlock, memberIn } from './server-metadata.ts'

type Json = Readonly<Record<string, unknown>>

const idJag = 'urn:ietf:params:oauth:token-type:id-jag'
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const kinds = ['anonymous', 'identity_assertion', 'service_auth', 'refresh']
const registering = ['identity_endpoint', 'registration_endpoint', 'register_uri']

interface Found {
  /** Where a member is, or in a text the first of others that stand for it. */
  readonly place: (at: string, ...others: readonly string[]) => Place
  readonly block: Json
}

/** Each `agent_auth` block of metadata, with what is around it. */
function* live({ servers }: Facts): Generator<Found & { json: Json; of: string }> {
  for (const { url, json, of } of servers) {
    if (json && isBlock(json.agent_auth)) {
      yield { json, of, block: json.agent_auth, place: (at) => ({ url, at }) }
    }
  }
}

/** Those, or where there are none the copies in the text, which need not be whole. */
function* anywhere(facts: Facts): Generator<Found & { json?: Json }> {
  const inMetadata = [...live(facts)]
  if (inMetadata.length > 0) yield* inMetadata
  else {
    for (const { json: block, lineOf } of facts.document?.blocks ?? []) {
      const line = (at: string, others: readonly string[]) => lineOf(memberIn(at), ...others)
      yield {
        block,
        place: (at, ...others) => ({ url: facts.document?.url ?? '', line: line(at, others), at }),
      }
    }
  }
}

function list(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

function typesOf(block: Json): readonly string[] {
  return list(block.identity_types_supported ?? block.supported_identity_types)
}

export const agentAuthRules: readonly Rule[] = [
  {
    id: 'agent-auth-no-endpoint',
    severity: 'error',
    source: 'auth.md v0.7, 1b (agent_auth)',
    finds: 'an agent_auth block that names nowhere to register',
    *check(facts) {
      for (const { url, json } of facts.servers) {
        if (json?.agent_auth === undefined || isBlock(json.agent_auth)) continue
        yield {
          place: { url, at: 'agent_auth' },
          problem: 'agent_auth is no object, so that agents find nothing in it.',
          fix: 'Make it an object that names the endpoint.',
          text: '"agent_auth": { "identity_endpoint": "https://…/agent/identity" }',
        }
      }
      for (const { place, block } of live(facts)) {
        if (registering.some((name) => typeof block[name] === 'string')) continue
        yield {
          place: place('agent_auth'),
          problem: 'The block does not say where an agent registers.',
          fix: 'Name the endpoint.',
          text: '"identity_endpoint": "https://…/agent/identity"',
        }
      }
    },
  },
  {
    id: 'agent-auth-no-types',
    severity: 'warning',
    source: 'auth.md v0.7, 1b (agent_auth)',
    finds: 'an agent_auth block that does not say who may register',
    *check(facts) {
      for (const { place, block } of live(facts)) {
        if (typesOf(block).length > 0) continue
        yield {
          place: place('agent_auth.identity_types_supported'),
          problem: 'The block lists no identity types, so that an agent can only try.',
          fix: 'List those that are taken.',
          text: '"identity_types_supported": ["anonymous", "service_auth"]',
        }
      }
    },
  },
  {
    id: 'agent-auth-unknown-type',
    severity: 'warning',
    source: 'auth.md v0.7, 1b (agent_auth)',
    finds: 'an identity type that the convention does not know',
    *check(facts) {
      for (const { place, block } of anywhere(facts)) {
        const odd = typesOf(block).filter((one) => !kinds.includes(one))
        if (odd.length === 0) continue
        yield {
          place: place('agent_auth.identity_types_supported', 'supported_identity_types'),
          problem: `The convention knows no ${quotes(odd)}.`,
          fix: `Use ${kinds.slice(0, 3).join(', ')}.`,
        }
      }
    },
  },
  {
    id: 'agent-auth-assertion-types',
    severity: 'warning',
    source: 'auth.md v0.7, “identity_assertion”',
    finds: 'assertions that are taken, and no word on which',
    *check(facts) {
      for (const { place, block } of anywhere(facts)) {
        if (!typesOf(block).includes('identity_assertion')) continue
        if (assertionsOf(block).length > 0) continue
        yield {
          place: place(
            'agent_auth.identity_assertion.assertion_types_supported',
            'identity_types_supported',
            'supported_identity_types',
          ),
          problem: 'identity_assertion is listed, and nothing says which assertions are taken.',
          fix: 'List them.',
          text: `"identity_assertion": { "assertion_types_supported": ["${idJag}"] }`,
        }
      }
    },
  },
  {
    id: 'agent-auth-no-claim',
    severity: 'warning',
    source: 'auth.md v0.7, “Claim ceremony”',
    finds: 'registrations that a person is to claim, and nowhere to do so',
    *check(facts) {
      for (const { place, block } of live(facts)) {
        const names = ['claim_endpoint', 'claim_uri', 'claims_url', 'claims_endpoint']
        if (names.some((name) => block[name] !== undefined)) continue
        if (!typesOf(block).some((one) => one === 'service_auth')) continue
        yield {
          place: place('agent_auth.claim_endpoint'),
          problem:
            'service_auth needs a person to claim the registration, and no claim endpoint is named: a code that has run out cannot be replaced.',
          fix: 'Name it.',
          text: '"claim_endpoint": "https://…/agent/identity/claim"',
        }
      }
    },
  },
  {
    id: 'agent-auth-no-exchange',
    severity: 'warning',
    source: 'auth.md v0.7, “Exchange the assertion”; RFC 8414 §2 (grant_types_supported)',
    finds: 'assertions that are given out, and no grant that takes them',
    *check(facts) {
      for (const { place, json, block } of live(facts)) {
        const gives = block.identity_endpoint ?? block.registration_endpoint
        if (gives === undefined || list(block.credential_types_supported).includes('api_key'))
          continue
        const grants = list(json.grant_types_supported)
        if (grants.some((one) => one === jwtBearer || /agent.*claim/.test(one))) continue
        yield {
          place: place('grant_types_supported'),
          problem:
            'Registering gives an assertion, and the token endpoint does not say that it takes one.',
          fix: 'List the grant.',
          text: `"grant_types_supported": ["${jwtBearer}"]`,
        }
      }
    },
  },
  {
    id: 'agent-auth-skill-missing',
    severity: 'hint',
    source: 'auth.md v0.7, 1b (agent_auth.skill)',
    finds: 'an agent_auth block that does not lead to the text',
    *check(facts) {
      for (const { place, block } of live(facts)) {
        if (typeof block.skill === 'string') continue
        yield {
          place: place('agent_auth.skill'),
          problem: 'The block does not name the text that explains it.',
          fix: 'Name your auth.md.',
          text: `"skill": "${facts.document?.url ?? 'https://…/auth.md'}"`,
        }
      }
    },
  },
  {
    id: 'agent-auth-skill-dead',
    severity: 'error',
    source: 'auth.md v0.7, 1b (agent_auth.skill)',
    finds: 'a skill that is not there, or not for one who has no credential yet',
    *check(facts) {
      for (const { place, block } of live(facts)) {
        const { status = 0 } = facts.skills.find(({ url }) => url === block.skill)?.answer ?? {}
        if (status < 400 || status >= 500 || [408, 425, 429].includes(status)) continue
        yield {
          place: place('agent_auth.skill'),
          problem: `skill leads to ${quote(String(block.skill))}, which answers ${status}.`,
          fix: 'Name the auth.md as it is served.',
        }
      }
    },
  },
  {
    id: 'agent-auth-skill-elsewhere',
    severity: 'warning',
    source: 'auth.md v0.7, 1b (agent_auth.skill)',
    finds: 'a skill on a domain that is neither the service’s nor its server’s',
    *check(facts) {
      for (const { place, block, of } of live(facts)) {
        const { skill } = block
        if (typeof skill !== 'string' || !URL.canParse(skill)) continue
        const domain = domainOf(skill)
        if (domain === facts.home || domain === domainOf(of)) continue
        yield {
          place: place('agent_auth.skill'),
          problem: `skill leads to ${quote(skill)}, which is neither on the domain of the service nor on that of its server.`,
          fix: 'Name the auth.md of the service.',
        }
      }
    },
  },
  {
    id: 'agent-auth-register-is-oauth',
    severity: 'warning',
    source: 'auth.md v0.7, 1b (agent_auth); RFC 7591 §3',
    finds: 'a register_uri that is OAuth’s client registration, or a page',
    *check(facts) {
      for (const { place, json, block } of anywhere(facts)) {
        const { register_uri: uri } = block
        if (typeof uri !== 'string') continue
        const client = uri === json?.registration_endpoint
        if (!client && !/\/(?:oauth2?\/register|login|sign-?in|sign-?up)\/?$/i.test(uri)) continue
        yield {
          place: place('agent_auth.register_uri'),
          problem: client
            ? `register_uri is the endpoint at which OAuth clients are registered: ${quote(uri)}. An agent that registers there by this convention is refused.`
            : `register_uri is a page, or the endpoint of another protocol: ${quote(uri)}. An agent that registers there by this convention is refused.`,
          fix: client
            ? 'Name it as registration_endpoint alone (RFC 7591), and take register_uri out.'
            : 'Name the endpoint that takes a registration. Where a person signs up on a page, say so in the text, and take register_uri out.',
        }
      }
    },
  },
  {
    id: 'agent-auth-older-version',
    severity: 'hint',
    source: 'auth.md v0.7, changelog',
    finds: 'fields of an older version of the convention',
    *check(facts) {
      for (const { place, block, json } of anywhere(facts)) {
        const version = olderVersion(block)
        if (
          version === undefined ||
          (block.register_uri === json?.registration_endpoint && block.register_uri !== undefined)
        )
          continue
        yield {
          place: place('agent_auth'),
          problem: `The block has the fields of ${version}. The newest version is v0.7.`,
          fix: `Offer identity_endpoint${assertionsOf(block).includes(byMail) ? `, with service_auth in the place of ${byMail},` : ''} and exchange assertions at the token endpoint.`,
          text: newerBlock(block),
        }
      }
    },
  },
]

const byMail = 'verified_email'

function assertionsOf(block: Json): readonly string[] {
  const own = isBlock(block.identity_assertion) ? block.identity_assertion : {}
  return list(own.assertion_types_supported)
}

/** What the same block says in the newest version: on its own host, with no way that it does not offer. */
function newerBlock(block: Json): string {
  const known = registering.map((name) => block[name]).find((one) => typeof one === 'string')
  const origin = URL.parse(String(known))?.origin ?? 'https://…'
  const endpoint = block.identity_endpoint ?? `${origin}/agent/identity`
  const types = typesOf(block).flatMap((type) => {
    const assertions = assertionsOf(block)
    if (type !== 'identity_assertion' || !assertions.includes(byMail)) return [type]
    return assertions.length > 1 ? [type, 'service_auth'] : ['service_auth']
  })
  const claims = types.includes('service_auth') || typeof block.claim_uri === 'string'
  return [
    `"identity_endpoint": "${endpoint}"`,
    ...(claims ? [`"claim_endpoint": "${block.claim_endpoint ?? `${endpoint}/claim`}"`] : []),
    ...(types.length > 0
      ? [`"identity_types_supported": [${types.map((type) => `"${type}"`).join(', ')}]`]
      : []),
  ].join(',\n')
}

function olderVersion(block: Json): string | undefined {
  if (block.identity_endpoint !== undefined) {
    return assertionsOf(block).includes(byMail) ? 'v0.2 to v0.5' : undefined
  }
  if (block.registration_endpoint !== undefined) return 'a draft before v0.2'
  const uri = block.register_uri
  if (typeof uri !== 'string' || /\/(?:oauth2?\/register|login|sign-?in|sign-?up)\/?$/i.test(uri))
    return undefined
  return 'v0.1'
}
