import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Fact } from '../profile.ts'
import { readDocument } from './read.ts'

const here = new URL('../__fixtures__/', import.meta.url)
const fixture = (name: string): string => readFileSync(new URL(name, here), 'utf8')

/** A fact as one line: name, mode, method, value, "denied". */
function line({ name, mode, request, value, denied }: Fact): string {
  return [name, mode, request?.method, value, denied && 'denied'].filter(Boolean).join(' ')
}

function read(name: string, url: string): string[] {
  return readDocument(fixture(name), { url }).facts.map(line)
}

describe('bold labels, links around code', () => {
  const url = 'https://docs.acme.example/auth.md'

  it('reads every fact', () => {
    expect(read('bold-labels.md', url)).toEqual([
      'prm_url https://api.acme.example/.well-known/oauth-protected-resource',
      'register_uri programmatic https://acme.example/join.md',
      'register_uri interactive https://acme.example/open',
      'claim_uri interactive https://panel.acme.example/#/keys',
      'revocation_uri interactive https://panel.acme.example/#/keys',
      'use_base_url https://api.acme.example/v3',
      'mcp_url https://api.acme.example/v3/mcp',
      'header_scheme Authorization: Bearer',
      'key_env ACME_KEY',
      'method id-jag denied',
      'method identity_assertion denied',
      'method bot-challenge',
      'method email-verification',
      'method api-key-portal',
      'feature agent_auth denied',
      'feature WWW-Authenticate denied',
      'error_shape {"errors": [{"code": "…", "title": "…"}]}',
      'error_status 401',
      'error_status 403',
      'request GET https://api.acme.example/v3/boxes',
    ])
  })

  it('knows title, lines and origins', () => {
    const reading = readDocument(fixture('bold-labels.md'), { url })
    expect(reading.title).toBe('Acme for programs (auth.md)')
    expect(reading.warnings).toEqual([])
    expect(reading.facts.find(({ name }) => name === 'claim_uri')?.source).toEqual({
      url,
      line: 22,
      kind: 'text',
    })
    expect(reading.origins).toContain('https://panel.acme.example')
  })
})

describe('fences, JSON and tables', () => {
  it('reads every fact', () => {
    expect(read('fences.md', 'https://borea.example/auth.md')).toEqual([
      'resource https://api.borea.example',
      'authorization_server https://login.borea.example',
      'prm_url https://api.borea.example/.well-known/oauth-protected-resource',
      'register_uri programmatic https://login.borea.example/agent/identity',
      'claim_uri programmatic https://login.borea.example/agent/identity/claim',
      'revocation_uri programmatic https://login.borea.example/oauth2/revoke',
      'use_base_url https://api.borea.example',
      'header_scheme X-Borea-Key',
      'method service_auth',
      'identity_type anonymous',
      'identity_type service_auth',
      'error_status 429',
      'error_code invalid_request',
      'error_code claim_expired',
      'request GET https://api.borea.example/.well-known/oauth-protected-resource',
      'request POST https://login.borea.example/agent/identity',
      'request GET https://api.borea.example/things',
    ])
  })
})

describe('prose and front matter', () => {
  const facts = readDocument(fixture('prose.md'), { url: 'https://cedro.example/auth.md' }).facts

  it('resolves what is relative and keeps what was written', () => {
    const register = facts.find(({ name }) => name === 'register_uri')
    expect(register).toMatchObject({
      value: 'https://api.cedro.example/api/agents',
      written: '/api/agents',
      mode: 'programmatic',
    })
    const requests = facts.filter(({ name }) => name === 'request').map(line)
    expect(requests).toContain('request GET https://api.cedro.example/v1/orders')
    expect(requests).toContain('request DELETE https://api.cedro.example/v1/orders/7')
  })

  it('tells stated from denied', () => {
    const lines = facts.map(line)
    expect(lines).toContain('claim_uri claim_uri denied')
    expect(lines).toContain('claim_uri interactive https://cedro.example/console/keys')
    expect(lines).toContain('header_scheme X-API-Key')
    expect(lines).toContain('method device-flow')
    expect(lines).toContain('method none-required')
    expect(lines).toContain('method oauth-dcr denied')
    expect(lines).not.toContain('method oauth-dcr')
  })
})

describe.each([
  ['no', 'There is no dynamic client registration endpoint.'],
  ['not', 'Dynamic client registration is not offered today.'],
  ['does not', 'The service does not currently support dynamic client registration.'],
  ["doesn't", "It doesn't offer dynamic client registration."],
  ['neither', 'Neither device flow nor dynamic client registration is available.'],
])('a denial by "%s"', (_, text) => {
  it('is a denied fact and no stated one', () => {
    const facts = readDocument(text, { url: 'https://a.test/auth.md' }).facts.map(line)
    expect(facts).toContain('method oauth-dcr denied')
    expect(facts).not.toContain('method oauth-dcr')
  })
})

it('does not stretch a denial over the next clause', () => {
  const text = 'The device flow is not offered; dynamic client registration is supported.'
  const facts = readDocument(text, { url: 'https://a.test/auth.md' }).facts.map(line)
  expect(facts).toEqual(['method device-flow denied', 'method oauth-dcr'])
})

describe('what a reader does not see', () => {
  const url = 'https://a.test/auth.md'
  const value = (text: string) => {
    const { facts, warnings } = readDocument(text, { url })
    return {
      values: facts.filter((fact) => fact.name === 'claim_uri').map((f) => f.value),
      warnings,
    }
  }

  it.each([
    ['<!--\n\n**claim_uri:** https://evil.test/\n\n-->'],
    ['Hello <!-- **claim_uri:** https://evil.test/ --> there'],
    ['<div style="display: none">\n\n**claim_uri:** https://evil.test/\n\n</div>'],
    ['<span hidden>**claim_uri:** https://evil.test/</span>'],
    ['<template>\n\n**claim_uri:** https://evil.test/\n\n</template>'],
  ])('drops and reports %j', (text) => {
    const { values, warnings } = value(text)
    expect(values).toEqual([])
    expect(warnings).toHaveLength(1)
  })

  it('goes on behind it', () => {
    const text = '<div hidden>\n\nx\n\n</div>\n\n**claim_uri:** https://a.test/claim'
    expect(value(text).values).toEqual(['https://a.test/claim'])
  })

  it.each([['\u200b'], ['\u202e'], ['&#8203;'], ['\u{e0041}'], ['\u2066']])(
    'takes hidden characters out (%j)',
    (hidden) => {
      const { values, warnings } = value(`**claim${hidden}_uri:** https://a.test/cl${hidden}aim`)
      expect(values).toEqual(['https://a.test/claim'])
      expect(warnings).toEqual(['Hidden characters were dropped.'])
    },
  )

  it.each([['javascript:alert(1)'], ['data:text/html,x'], ['file:///etc/passwd']])(
    'ignores a link to %s',
    (target) => {
      const { values, warnings } = value(`**claim_uri:** [here](${target})`)
      expect(values).toEqual([])
      expect(warnings).toEqual(['A link that is no web address was ignored.'])
    },
  )
})

const corpus = new URL('../../../../../../shared/corpus/', import.meta.url)
const present = existsSync(new URL('expected.json', corpus))

describe.skipIf(!present)('the seed document (skipped where ../shared/corpus is missing)', () => {
  it('gives exactly the facts that were read by hand', () => {
    const text = readFileSync(new URL('documents/telnyx.md', corpus), 'utf8')
    const expected = JSON.parse(readFileSync(new URL('expected.json', corpus), 'utf8')).telnyx
    const { facts } = readDocument(text, { url: 'https://developers.telnyx.com/auth.md' })
    const stated = facts.filter((fact) => !fact.denied)
    const all = (name: string) => stated.filter((fact) => fact.name === name).map((f) => f.value)
    for (const name of ['register_uri', 'claim_uri', 'revocation_uri'] as const) {
      const fact = stated.find((one) => one.name === name)
      expect({ value: fact?.value, mode: fact?.mode }).toEqual(expected[name])
    }
    for (const name of ['use_base_url', 'mcp_url', 'prm_url', 'as_metadata_url', 'resource']) {
      expect([name, all(name)]).toEqual([name, expected[name] === null ? [] : [expected[name]]])
    }
    expect(all('header_scheme')).toEqual(expected.header_scheme)
    expect(all('error_status')).toEqual(expected.error_codes)
    expect(all('method').sort()).toEqual(expected.methods.sort())
    const denied = facts.filter((fact) => fact.denied).map((fact) => fact.value)
    expect(denied.sort()).toEqual([
      'WWW-Authenticate',
      'agent_auth',
      'id-jag',
      'identity_assertion',
    ])
  })
})
