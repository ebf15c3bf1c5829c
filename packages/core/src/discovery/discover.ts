import { AuthError } from '../errors.ts'
import { isAddress } from '../net/address.ts'
import { checkUrl, isLoopbackHost, registrableDomain } from '../net/url.ts'
import { type Asked, Asking, type DiscoverDeps, domainOf, isMarkdown } from './asking.ts'
import { assemble, type Findings, type FoundDocument, isUsable } from './assemble.ts'
import { demandedScopes, resourceMetadataUrls } from './challenge.ts'
import { namedDocuments } from './links.ts'
import { readDocument } from './markdown/read.ts'
import {
  ownerOfWellKnown,
  type ReadResource,
  type ReadServer,
  readResourceMetadata,
  readServerMetadata,
  resourceMetadataUrlsOf,
  serverMetadataUrls,
} from './metadata.ts'
import type { ServiceProfile } from './profile.ts'

export type { DiscoverDeps } from './asking.ts'

/**
 * Finds out how a service lets agents in, starting from the URL of its API, its site or its auth.md.
 * Asks at most 16 addresses in at most 3 waves; sends no credential and changes nothing. What was
 * found is data: every fact has its source, every address asked stands in `tried`.
 *
 * @throws AuthError `invalid_url`, `address_refused` for the URL itself; `network_failed` when its
 *   host cannot be reached; `aborted`. A host that answers but has nothing gives a profile without facts.
 * @see RFC 9728, RFC 8414
 * @example
 * const profile = await discover('https://api.svc.test', { fetch: guarded, now: Date.now })
 */
export async function discover(asked: string, deps: DiscoverDeps): Promise<ServiceProfile> {
  const url = checkUrl(asked, { start: asked, loopbackAllowed: true })
  url.search = ''
  url.hash = ''
  return new Discovery(url, deps).run()
}

type Wave = 1 | 2 | 3

class Discovery {
  private readonly url: URL
  private readonly asking: Asking
  private readonly findings: Findings
  private readonly deps: DiscoverDeps
  private readonly running: Promise<void>[] = []
  /** What wave 2 named: asked when wave 2 is over. */
  private readonly later: (() => void)[] = []
  private given: Asked | undefined

  constructor(url: URL, deps: DiscoverDeps) {
    this.url = url
    this.deps = deps
    this.asking = new Asking(url.href, deps)
    this.findings = { asked: url, resources: [], servers: [], documents: [], warnings: [] }
  }

  async run(): Promise<ServiceProfile> {
    this.first()
    await this.settle()
    for (const ask of this.later.splice(0)) ask()
    await this.settle()
    this.checkReached()
    if (!isUsable(this.findings)) await this.last()
    this.asking.rememberUnreachable()
    const { tried, warnings } = this.asking
    this.findings.warnings.push(...warnings)
    return assemble(this.findings, tried, this.deps.now())
  }

  /** Wave 1: the URL itself, the well-known addresses of its origin, and where an auth.md usually lies. */
  private first(): void {
    const { url } = this
    if (isMarkdownPath(url)) this.document(url.href, 1, 'asked')
    else this.self()
    this.document(`${url.origin}/auth.md`, 1, 'origin')
    for (const address of resourceMetadataUrlsOf(resourceOf(url))) {
      this.resource(address, 1, resourceOf(url).href)
    }
    this.server(`${url.origin}/.well-known/oauth-authorization-server`, 1, url.origin)
    for (const origin of siblings(url)) this.document(`${origin}/auth.md`, 1, 'sibling')
  }

  /** Wave 3, only when nothing is usable: what else may say where to look, then what that names. */
  private async last(): Promise<void> {
    const { origin, hostname } = this.url
    const named: string[] = []
    for (const name of ['llms.txt', '.well-known/agent-access.json']) {
      const wanted = name.endsWith('.json') ? 'json' : 'markdown'
      this.take(this.asking.ask(`${origin}/${name}`, 3, wanted), ({ answer, verdict }) => {
        if (!answer) return
        const ours = namedDocuments(answer).filter((address) => this.isOurs(address))
        verdict(ours.length > 0 ? 'used' : 'not used: it names no document')
        named.push(...ours)
      })
    }
    this.document(`${origin}/.well-known/auth.md`, 3, 'origin')
    await this.settle()
    const domain = registrableDomain(hostname)
    if (named[0]) this.document(named[0], 3, 'sibling')
    else if (domain === hostname && !isAddress(hostname) && hostname.includes('.')) {
      this.document(`${withHost(this.url, `www.${hostname}`)}/auth.md`, 3, 'sibling')
    }
    await this.settle()
  }

  private self(): void {
    this.take(this.asking.ask(this.url.href, 1, 'anything'), (asked) => {
      this.given = asked
      const { answer } = asked
      if (!answer) return
      if (isMarkdown(answer)) this.readText(asked, 1, 'asked')
      const scopes = demandedScopes(answer.headers.get('www-authenticate') ?? '')
      if (scopes) this.findings.challengeScopes = scopes
      for (const address of resourceMetadataUrls(answer.headers).slice(0, 2)) {
        this.resource(address, 2, this.url.href)
      }
      for (const address of linked(answer.headers, answer.url)) {
        if (this.isOurs(address)) this.document(address, 2, 'named')
      }
    })
  }

  private resource(address: string, wave: Wave, asked: string): void {
    this.take(this.asking.ask(address, wave, 'json'), ({ answer, verdict, url }) => {
      if (!answer || this.findings.resources.some((one) => one.url === url)) return
      const reading = readResourceMetadata(answer.text, { url, asked })
      if ('refused' in reading) {
        verdict(`not used: ${reading.refused}`)
        if (reading.refused.includes('RFC')) this.warn(`${url} was refused: ${reading.refused}.`)
        return
      }
      verdict('used')
      this.findings.resources.push(reading.ok)
      this.findings.warnings.push(...reading.warnings)
      this.named(wave, () => this.afterResource(reading.ok, next(wave)))
    })
  }

  private afterResource({ authorizationServers, documentation }: ReadResource, wave: Wave): void {
    for (const issuer of authorizationServers.slice(0, 2)) this.issuer(issuer, wave)
    if (documentation && this.isText(documentation)) this.document(documentation, wave, 'named')
  }

  /** All forms at once; where one was asked already, the others only if that one was not there. */
  private issuer(issuer: string, wave: Wave): void {
    const forms = serverMetadataUrls(issuer)
    const [first] = forms
    if (!first || !this.asking.has(first)) {
      for (const form of forms) this.server(form, wave, issuer)
      return
    }
    this.take(this.asking.ask(first, wave, 'json'), () => {
      if (this.findings.servers.some(({ url }) => forms.includes(url))) return
      for (const form of forms) this.server(form, wave, issuer)
    })
  }

  private server(address: string, wave: Wave, issuer: string): void {
    this.take(this.asking.ask(address, wave, 'json'), ({ answer, verdict, url }) => {
      if (!answer || this.findings.servers.some((one) => one.url === url)) return
      const check = (one: string) => checkUrl(one, { start: this.url.href, loopbackAllowed: true })
      const reading = readServerMetadata(answer.text, { url, issuer, check })
      if ('refused' in reading) {
        verdict(`not used: ${reading.refused}`)
        if (reading.refused.includes('RFC')) this.warn(`${url} was refused: ${reading.refused}.`)
        return
      }
      verdict('used')
      this.findings.servers.push(reading.ok)
      this.findings.warnings.push(...reading.warnings)
      this.named(wave, () => this.afterServer(reading.ok, next(wave)))
    })
  }

  private afterServer({ skill, documentation }: ReadServer, wave: Wave): void {
    if (skill && this.isOurs(skill)) this.document(skill, wave, 'named')
    if (documentation && this.isText(documentation)) this.document(documentation, wave, 'named')
  }

  private document(address: string, wave: Wave, place: FoundDocument['place']): void {
    this.take(this.asking.ask(address, wave, 'markdown'), (asked) => {
      if (asked.answer) this.readText(asked, wave, place)
      else if (place === 'asked') this.given = asked
    })
  }

  private readText(
    { answer, verdict, url }: Asked,
    wave: Wave,
    place: FoundDocument['place'],
  ): void {
    if (!answer || this.findings.documents.some((one) => one.url === answer.url)) return
    if (place === 'asked') this.given = { url, answer, verdict }
    const reading = readDocument(answer.text, { url: answer.url })
    const core = reading.facts.some(({ name }) => name !== 'error_status' && name !== 'error_code')
    const stranger = place === 'sibling' && !this.speaksForUs(reading.origins)
    // A page to sign up at speaks of little else; any other text must tell agents how to get in.
    const why = place === 'registration' ? undefined : reading.why
    if (!core) verdict('not used: it says nothing of use')
    else if (why !== undefined) verdict(`not used: it is no auth.md, ${why}`)
    else if (stranger) verdict('not used: it does not name the asked origin')
    else verdict('used')
    if (!core || why !== undefined || stranger) return
    const document = { url: answer.url, place, text: answer.text, reading }
    this.findings.documents.push(document)
    for (const warning of reading.warnings) this.warn(`${answer.url}: ${warning}`)
    if (place !== 'registration') this.named(wave, () => this.afterDocument(document, next(wave)))
  }

  private afterDocument({ reading, url }: FoundDocument, wave: Wave): void {
    const stated = reading.facts.filter(
      ({ denied, value }) => !denied && URL.canParse(value) && this.isOurs(value),
    )
    const of = (name: string) => stated.find((fact) => fact.name === name)?.value
    const page = stated.find(
      ({ name, mode, value }) =>
        name === 'register_uri' && mode === 'programmatic' && this.isText(value),
    )
    if (page && page.value !== url) this.document(page.value, wave, 'registration')
    const base = of('use_base_url')
    const prm = of('prm_url') ?? (base && resourceMetadataUrlsOf(new URL(base)).at(-1))
    const owner = prm && ownerOfWellKnown(prm)
    // What was refused for the asked URL must not come in by the back door.
    const own = owner && new URL(owner).origin === this.url.origin
    if (prm && owner) this.resource(prm, wave, own ? resourceOf(this.url).href : owner)
    const server = of('as_metadata_url') ?? (base && serverMetadataUrls(new URL(base).origin)[0])
    const issuer = server && ownerOfWellKnown(server)
    if (server && issuer) this.server(server, wave, issuer)
  }

  /** Whether a text of a sibling host is about what was asked: it names the origin, or a site was asked. */
  private speaksForUs(origins: readonly string[]): boolean {
    if (origins.includes(this.url.origin)) return true
    const domain = registrableDomain(this.url.hostname)
    const isSite = domain !== undefined && [domain, `www.${domain}`].includes(this.url.hostname)
    return isSite && origins.some((origin) => domainOf(origin) === domain)
  }

  private isOurs(address: string): boolean {
    return URL.canParse(address) && domainOf(address) === domainOf(this.url.href)
  }

  private isText(address: string): boolean {
    return this.isOurs(address) && /\.(?:md|markdown|txt)$/i.test(new URL(address).pathname)
  }

  /** What wave 1 named is asked at once, what wave 2 named when wave 2 is over. */
  private named(wave: Wave, ask: () => void): void {
    if (wave === 1) ask()
    else if (wave === 2) this.later.push(ask)
  }

  private take(asked: Promise<Asked> | undefined, handle: (asked: Asked) => void): void {
    if (asked) this.running.push(asked.then(handle))
  }

  private async settle(): Promise<void> {
    while (this.running.length > 0) {
      const settled = await Promise.allSettled(this.running.splice(0))
      const failed = settled.find((one) => one.status === 'rejected')
      if (failed) throw failed.reason
    }
  }

  private checkReached(): void {
    const error = this.given?.error
    if (error?.code === 'address_refused' || error?.code === 'invalid_url') throw error
    const reached = this.asking.answered.has(this.url.host) || this.findings.documents.length > 0
    if (reached) return
    throw new AuthError('network_failed', `${this.url.host} cannot be reached`, { cause: error })
  }

  private warn(text: string): void {
    this.findings.warnings.push(text)
  }
}

function next(wave: Wave): Wave {
  return wave === 1 ? 2 : 3
}

function isMarkdownPath({ pathname }: URL): boolean {
  return /\.(?:md|markdown)$/i.test(pathname)
}

/** What an asked text stands for is its origin; any other URL may be a resource itself. */
function resourceOf(url: URL): URL {
  return isMarkdownPath(url) ? new URL(url.origin) : url
}

/** Origins where a service usually keeps its documents, within the domain that one owner registers. */
function siblings(url: URL): string[] {
  const domain = registrableDomain(url.hostname)
  if (!domain || isAddress(url.hostname) || !domain.includes('.')) return []
  const hosts = [domain, `developers.${domain}`, `docs.${domain}`]
  return hosts.filter((host) => host !== url.hostname).map((host) => withHost(url, host))
}

/** The same scheme on another host; the port goes along on this machine only. */
function withHost(url: URL, host: string): string {
  const port = isLoopbackHost(url.hostname) && url.port ? `:${url.port}` : ''
  return `${url.protocol}//${host}${port}`
}

/** Documents that the `Link` fields of an answer name (RFC 8288). */
function linked(headers: Headers, base: string): string[] {
  const field = (headers.get('link') ?? '').slice(0, 8_192)
  const found: string[] = []
  for (const match of field.matchAll(/<([^<>]{1,2048})>([^<]{0,512})/g)) {
    const rel = /;\s*rel\s*=\s*"?([^";,]+)/i.exec(match[2] ?? '')?.[1]?.toLowerCase() ?? ''
    const names = ['service-doc', 'describedby', 'agent-auth', 'auth.md']
    if (!rel.split(/\s+/).some((one) => names.includes(one))) continue
    if (URL.canParse(match[1] ?? '', base)) found.push(new URL(match[1] ?? '', base).href)
  }
  return found.slice(0, 2)
}
