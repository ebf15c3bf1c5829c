import type { FactName, Mode } from '../../profile.ts'

/** What a label says of the address behind it. */
export interface Meaning {
  readonly name: FactName
  readonly weight: number
  readonly usual?: Mode
}

const p = 'programmatic'
const i = 'interactive'

/** Keys of the convention and of the standards, and the usual labels. */
export const exact: Readonly<Record<string, Meaning>> = {
  register_uri: { name: 'register_uri', weight: 5 },
  registration_uri: { name: 'register_uri', weight: 5 },
  register_url: { name: 'register_uri', weight: 5 },
  registration_url: { name: 'register_uri', weight: 5 },
  identity_endpoint: { name: 'register_uri', weight: 4, usual: p },
  registration_endpoint: { name: 'register_uri', weight: 4, usual: p },
  client_registration_endpoint: { name: 'register_uri', weight: 3, usual: p },
  dynamic_client_registration: { name: 'register_uri', weight: 3, usual: p },
  registration: { name: 'register_uri', weight: 3 },
  register: { name: 'register_uri', weight: 3 },
  claim_uri: { name: 'claim_uri', weight: 5 },
  claim_url: { name: 'claim_uri', weight: 5 },
  claims_url: { name: 'claim_uri', weight: 5 },
  claim_endpoint: { name: 'claim_uri', weight: 4, usual: p },
  claims_endpoint: { name: 'claim_uri', weight: 4, usual: p },
  claim: { name: 'claim_uri', weight: 3 },
  revocation_uri: { name: 'revocation_uri', weight: 5 },
  revocation_url: { name: 'revocation_uri', weight: 5 },
  revocation_endpoint: { name: 'revocation_uri', weight: 4, usual: p },
  revoke_endpoint: { name: 'revocation_uri', weight: 4, usual: p },
  revocation: { name: 'revocation_uri', weight: 3 },
  revoke: { name: 'revocation_uri', weight: 3 },
  token_revocation: { name: 'revocation_uri', weight: 3, usual: p },
  resource: { name: 'resource', weight: 4 },
  resource_server: { name: 'resource', weight: 3 },
  protected_resource: { name: 'resource', weight: 2 },
  issuer: { name: 'authorization_server', weight: 3 },
  authorization_server: { name: 'authorization_server', weight: 3 },
  authorization_servers: { name: 'authorization_server', weight: 4 },
  base_url: { name: 'use_base_url', weight: 4.5 },
  api_base_url: { name: 'use_base_url', weight: 5 },
  api_base: { name: 'use_base_url', weight: 4 },
  base: { name: 'use_base_url', weight: 3 },
  mcp: { name: 'mcp_url', weight: 3 },
  mcp_url: { name: 'mcp_url', weight: 5 },
  mcp_server: { name: 'mcp_url', weight: 4 },
  mcp_endpoint: { name: 'mcp_url', weight: 4 },
}

/** The same in other words: "Agent sign-up page", "Token revocation endpoint", "Resource ID". */
export const patterns: readonly (readonly [RegExp, Meaning])[] = [
  [
    /^(?:[a-z]+_){0,3}(?:sign_?up|onboarding|create_(?:an_)?account|registration_page|enrol?lment)(?:_(?:ur[il]|page|link|form))?$/,
    { name: 'register_uri', weight: 3, usual: i },
  ],
  [
    /^(?:[a-z0-9]+_){0,3}(?:regist(?:er|ration)|sign_?up|enrol?l?ment|provisioning)_(?:ur[il]|endpoint|api|address|path|route)$/,
    { name: 'register_uri', weight: 3, usual: p },
  ],
  [
    /^(?:(?:agents?|clients?|self|dynamic|programmatic|automatic|anonymous|oauth|service|identity)_){1,3}(?:registration|sign_?up|register|enrol?lment|provisioning)$|^register_(?:an_|your_|the_)?(?:agent|client|identity)$/,
    { name: 'register_uri', weight: 3 },
  ],
  [
    /^(?:(?:agent|account|credential|identity|ownership|key|start|begin)_)?(?:claim|claims|claiming)(?:_(?:ceremony|page|link|start|an?_\w+))?(?:_(?:ur[il]|endpoint|api|address|path|route))?$/,
    { name: 'claim_uri', weight: 3 },
  ],
  [
    /^(?:(?:get|create|manage|your|api|access)_){0,3}(?:keys?|tokens?)_(?:page|dashboard|portal|management|settings|console)$|^(?:api_)?keys?_(?:are_)?(?:created|issued)_at$/,
    { name: 'claim_uri', weight: 3, usual: i },
  ],
  [
    /^(?:(?:token|key|agent|credentials?|access|oauth|rfc_?7009)_){0,3}(?:revocation|revoke)(?:_(?:an?_)?(?:(?:access|refresh|api)_)?(?:token|key|credential))?(?:_(?:ur[il]|endpoint|api|address|path|page|route))?$/,
    { name: 'revocation_uri', weight: 3 },
  ],
  [
    /^(?:(?:oauth|protected|api|canonical)_){0,3}resource_(?:id|identifier|ur[il]|indicator)$/,
    { name: 'resource', weight: 3 },
  ],
  [
    /^(?:(?:token|oauth|oauth2|oidc|jwt|as)_){1,2}issuer(?:_ur[il])?$|^issuer_(?:ur[il]|origin|identifier|id)$|^(?:oauth|oauth2|oidc)_authori[sz]ation_servers?$|^authori[sz]ation_server_(?:ur[il]|issuer)$/,
    { name: 'authorization_server', weight: 3 },
  ],
  [
    /^(?:[a-z]+_){0,2}(?:base_(?:api_)?(?:ur[il]|address|endpoint|path)|api_(?:ur[il]|root|host|base(?:_ur[il])?|server|origin))$|^(?:rest|http|https|gateway|public|production|prod|json|web|main)_api(?:_(?:ur[il]|base|root))?$|^url_base$|^basis_url$/,
    { name: 'use_base_url', weight: 3 },
  ],
  [
    /^(?:[a-z]+_){0,3}mcp(?:_(?:streamable|http|sse|remote|hosted))*(?:_(?:server|endpoint|ur[il]|transport|gateway|connector))*$/,
    { name: 'mcp_url', weight: 3 },
  ],
]
