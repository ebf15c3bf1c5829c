import { expect, test } from 'vitest'
import type { ServiceProfile } from './profile.ts'
import { speaksFor } from './trust.ts'

const resource = 'https://api.vendor.example'
const issuer = 'https://vendor.authkit.test'
const raw = { agent_auth: { skill: 'https://vendor.example/auth.md' } }
const server = { url: `${issuer}/.well-known/oauth-authorization-server`, issuer, raw }

function profile(authorizationServers: readonly string[], more: Partial<ServiceProfile> = {}) {
  const url = `${resource}/.well-known/oauth-protected-resource`
  return {
    asked: 'https://vendor.example/',
    service: resource,
    resourceMetadata: { url, resource, authorizationServers, scopes: [] },
    serverMetadata: [server],
    documents: [],
    facts: [],
    tried: [],
    warnings: [],
    at: 0,
    ...more,
  } satisfies ServiceProfile
}

test.each([
  ['its skill is a page of the resource', raw],
  ['it lists the resource (RFC 9728 §4)', { protected_resources: ['x', `${resource}/`] }],
  ['it restates the resource', { resource }],
])('speaks for a resource that names it where %s', (_, said) => {
  expect(speaksFor({ ...server, raw: said }, profile([`${issuer}/`]))).toBe(true)
})

test.each([
  ['names nobody', profile([])],
  ['names another', profile(['https://other.authkit.test'])],
  ['names a page of it', profile([`${issuer}/other`])],
  ['is on another domain than was asked', profile([issuer], { asked: 'https://evil.example/' })],
  ['is not what is called', profile([issuer], { service: 'https://evil.example' })],
])('does not speak for a resource whose metadata %s', (_, given) => {
  expect(speaksFor(server, given)).toBe(false)
})

test.each([
  ['has no word of it', {}],
  ['has its skill elsewhere', { agent_auth: { skill: 'https://authkit.test/auth.md' } }],
  ['has a skill that is no address', { agent_auth: { skill: '/auth.md' } }],
  ['lists other resources', { protected_resources: ['https://api.other.example', 7] }],
  ['restates another', { resource: 'https://api.other.example' }],
])('a server does not speak for a resource of which it %s', (_, said) => {
  expect(speaksFor({ ...server, raw: said }, profile([issuer]))).toBe(false)
})

test('nor without an issuer, nor without metadata of the resource', () => {
  const { issuer: _, ...nameless } = server
  expect(speaksFor(nameless, profile([issuer]))).toBe(false)
  const { resourceMetadata: __, ...textOnly } = profile([issuer])
  expect(speaksFor(server, textOnly)).toBe(false)
})
