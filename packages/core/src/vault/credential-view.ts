import type { CredentialView } from '../outcome.ts'
import type { Credential } from './credentials.ts'

/** A credential as seen from outside the vault. */
export function viewCredential(credential: Credential): CredentialView {
  const {
    handle,
    service,
    kind,
    state,
    audience,
    issuedAt,
    lastUsedAt,
    method,
    parent,
    orphan,
    shared,
  } = credential
  return {
    handle,
    service,
    kind,
    state,
    audience: audience.bases,
    issuedAt,
    ...(lastUsedAt === undefined ? {} : { lastUsedAt }),
    method,
    ...(parent === undefined ? {} : { parent }),
    ...(orphan === undefined ? {} : { orphan }),
    ...(shared === undefined ? {} : { shared: { verbs: shared.verbs } }),
  }
}

/** The same, and who has shared it: for the application, not for the model. */
export function viewWithSharer(credential: Credential): CredentialView {
  const { shared, ...view } = viewCredential(credential)
  if (shared === undefined || credential.shared === undefined) return view
  return { ...view, shared: { ...shared, by: credential.shared.by } }
}
