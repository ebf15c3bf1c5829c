import type { FactName, ServiceProfile } from '../../discovery/profile.ts'
import type { KeyForm, Presentation } from '../method.ts'

/** Schemes of `Authorization` in which what is sent is not the key itself (RFC 7617, 7616, 9421 …). */
const computed =
  /^(?:basic|digest|negotiate|ntlm|hawk|dpop|signature|hmac.*|aws4.*|mutual|payment|l402|xmr402)$/i
/** What is told apart from a secret by its name. */
const secretName = /key|secret|token|password/i
const maxBeside = 4

/** A value beside the key that a person has to hand over. */
export interface Beside {
  /** The header, or `user` for the user name of HTTP Basic. */
  readonly name: string
  readonly secret: boolean
}

/** How the documents have a key presented. */
export interface Documented {
  readonly presentation: Presentation
  readonly beside: readonly Beside[]
}

/**
 * How the documents say that a key is presented: in a header, else by HTTP Basic, and in the query only where
 * they name nothing else. Undefined where they do not say.
 */
export function documented(profile: ServiceProfile): Documented | undefined {
  const header = headerOf(profile)
  if (header) {
    const names = stated(profile, 'key_beside').map((name) => name.toLowerCase())
    const more = [...new Set(names)]
      .filter((name) => name !== header.header && name !== 'key')
      .slice(0, maxBeside)
    const beside = more.map((name) => ({ name, secret: secretName.test(name) }))
    return { presentation: header, beside }
  }
  const [basic] = stated(profile, 'basic_auth')
  if (basic !== undefined) {
    const presentation = { header: 'authorization', prefix: 'Basic ' }
    if (basic === '<key>:') return { presentation: { ...presentation, basic: {} }, beside: [] }
    const user = basic.replace(/:<key>$/, '')
    return user === '<user>'
      ? { presentation: { ...presentation, basic: {} }, beside: [{ name: 'user', secret: false }] }
      : { presentation: { ...presentation, basic: { user } }, beside: [] }
  }
  const schemes = stated(profile, 'header_scheme')
  const query = schemes.flatMap((one) => /^\?([\w.-]{1,40})=$/.exec(one)?.[1] ?? [])[0]
  if (query === undefined || schemes.length > 1) return undefined
  return { presentation: { header: 'authorization', prefix: '', query }, beside: [] }
}

function headerOf(profile: ServiceProfile): Presentation | undefined {
  for (const value of stated(profile, 'header_scheme')) {
    const [, header = '', scheme] = /^([A-Za-z][\w-]{0,60})(?::\s*(\S+))?$/.exec(value) ?? []
    if (header === '' || /payment/i.test(header)) continue
    const name = header.toLowerCase()
    if (name !== 'authorization') return { header: name, prefix: '' }
    if (scheme === '<key>') return { header: name, prefix: '' }
    if (scheme !== undefined && !computed.test(scheme)) {
      return { header: name, prefix: `${scheme} ` }
    }
  }
  return undefined
}

/** How the documents say that a key looks, in words before samples. */
export function formOf(profile: ServiceProfile): KeyForm | undefined {
  const said = stated(profile, 'key_form')
  if (said.length > 0) return { looks: said, certain: true }
  const samples = stated(profile, 'key_example')
  return samples.length > 0 ? { looks: samples, certain: false } : undefined
}

/** The names of environment variables in which the documents expect the key. */
export function variablesOf(profile: ServiceProfile): readonly string[] {
  return stated(profile, 'key_env').slice(0, 5)
}

function stated({ facts }: ServiceProfile, wanted: FactName): readonly string[] {
  return facts.filter(({ name, denied }) => name === wanted && !denied).map(({ value }) => value)
}
