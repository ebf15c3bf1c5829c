import type { ServiceProfile } from '../../discovery/profile.ts'

/** Schemes of `Authorization` in which what is sent is not the key itself (RFC 7617, 7616, 9421 …). */
const computed =
  /^(?:basic|digest|negotiate|ntlm|hawk|dpop|signature|hmac.*|aws4.*|mutual|payment|l402|xmr402)$/i

/** How the documents say that a key is presented: the header, and what stands before the key. */
export function headerOf(
  profile: ServiceProfile,
): { readonly name: string; readonly prefix: string } | undefined {
  for (const { name, value, denied } of profile.facts) {
    if (name !== 'header_scheme' || denied) continue
    const [, header = '', scheme] = /^([A-Za-z][\w-]{0,60})(?::\s*(\S+))?$/.exec(value) ?? []
    if (header === '' || /payment/i.test(header)) continue
    if (header.toLowerCase() !== 'authorization') return { name: header.toLowerCase(), prefix: '' }
    if (scheme === '<key>') return { name: 'authorization', prefix: '' }
    if (scheme !== undefined && !computed.test(scheme)) {
      return { name: 'authorization', prefix: `${scheme} ` }
    }
  }
  return undefined
}
