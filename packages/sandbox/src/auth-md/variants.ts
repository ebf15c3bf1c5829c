import { claimGrant, type Dialect, release } from './dialects.ts'
import type { AuthMdVariant, AuthMdVersion } from './options.ts'

const variants: Readonly<Record<AuthMdVariant, (issuer: string) => Dialect>> = {
  'agent-artifacts': () => {
    const base = release('v0.6', 'strict-spec')
    return {
      ...base,
      grants: { claim: 'urn:agent-artifacts:params:oauth:grant-type:claim_token' },
      correctsHint: false,
      quirks: {
        ...base.quirks,
        pendingStatus: 428,
        scopesAtRegistration: true,
        names: {
          claimed: 'claim_already_completed',
          hintMismatch: 'login_hint_mismatch',
          disabled: 'auth_md_disabled',
        },
      },
    }
  },
  'just-html': () => {
    const base = release('v0.6', 'strict-spec')
    return {
      ...base,
      discovery: {
        ...base.discovery,
        identityTypes: ['service_auth'],
        more: { credential_types_supported: ['api_key'] },
      },
      methods: ['service_auth'],
      ceremony: 'mailed-code',
      claimBody: 'email',
      quirks: { ...base.quirks, tries: 5, claimGivesKey: true, claimGivesAssertion: false },
    }
  },
  capgo: () => {
    const base = release('v0.6', 'strict-spec')
    return { ...base, paths: { ...base.paths, page: '/agent/claim' } }
  },
  stella: () => {
    const base = release('v0.6', 'strict-spec')
    return { ...base, quirks: { ...base.quirks, claimGivesAssertion: false, supersedes: false } }
  },
  axiom: () => {
    const base = release('v0.6', 'strict-spec')
    return { ...base, grants: { claim: 'claim', json: true } }
  },
  'two-endpoints': (issuer) => {
    const base = release('v0.6', 'strict-spec')
    const register = '/agent/identity/register'
    return {
      ...base,
      paths: { ...base.paths, register },
      discovery: { ...base.discovery, more: { register_uri: issuer + register } },
      grants: { claim: claimGrant },
    }
  },
  vidjutsu: () => {
    const base = release('v0.1', 'strict-spec')
    return {
      ...base,
      ids: { ...base.ids, registration: 'rgn_' },
      quirks: { ...base.quirks, epochExpiries: true },
    }
  },
  rfc7591: (issuer) => {
    const base = release('v0.1', 'strict-spec')
    return {
      ...base,
      methods: [],
      discovery: {
        ...base.discovery,
        more: {
          register_uri: `${issuer}/oauth/register`,
          claim_uri: `${issuer}/login`,
          supported_identity_types: ['user'],
          claims_url: `${issuer}/login`,
          revocation_url: `${issuer}/oauth/revoke`,
          credential_types: ['oauth'],
        },
      },
    }
  },
}

export function isVariant(version: AuthMdVersion): version is AuthMdVariant {
  return Object.hasOwn(variants, version)
}

/** The data of a site that went its own way. */
export function variant(version: AuthMdVariant, issuer: string): Dialect {
  return variants[version](issuer)
}
