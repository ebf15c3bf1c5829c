import { z } from 'zod'
import type { Call } from '../consent/ledger.ts'
import { AuthError } from '../errors.ts'
import { parse } from '../inputs.ts'
import { displayUrl, registrableDomain } from '../net/url.ts'
import type { Session } from '../session.ts'
import { ownLine, serviceText } from '../tools/service-text.ts'
import { type AuthTool, told } from '../tools/tools.ts'
import { chooseCredential } from '../use/authorised-fetch.ts'
import { type McpParts, mcpUrl } from './access.ts'
import { callTool, type MountedTool, previewTool } from './call.ts'
import { rpcFailure } from './connection.ts'
import { Connections } from './connections.ts'
import { type Definition, type LeftOut, type Listing, shownName } from './definition.ts'
import { readSchema } from './schema.ts'
import { HttpFailure } from './wire.ts'

/** Tools of one service that are mounted. */
const maxMounted = 100
/** Characters of a service's description of a tool. */
const maxDescription = 600
const maxTitle = 60

/** How a service's own MCP tools are added to the agent's. */
export interface MountOptions {
  /** What the names begin with: 1 to 32 of `A-Za-z0-9_-`. From the service's name where left out. */
  readonly prefix?: string | undefined
  /** Tools, by the service's names for them, that the operator lets run without asking a person. */
  readonly allow?: readonly string[] | undefined
  /** The `hash` of an earlier mount: with any other list of tools nothing is mounted. */
  readonly pin?: string | undefined
  /** Names that the agent's other tools have already. */
  readonly taken?: readonly string[] | undefined
}

const mountOptions: z.ZodType<MountOptions> = z.strictObject({
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,32}$/, '1 to 32 letters, digits, "_" or "-"')
    .optional(),
  allow: z.array(z.string()).optional(),
  pin: z.string().optional(),
  taken: z.array(z.string()).optional(),
})

/** A service's own tools, beside the five. */
export interface Mounted {
  readonly tools: readonly AuthTool[]
  /** SHA-256 over the service's whole list, base64url: pass it as `pin` the next time. */
  readonly hash: string
  /** What was not mounted, and why. */
  readonly left: readonly LeftOut[]
}

/** From a session to what only its own class can reach of it. */
type Reach = (session: Session) => McpParts

export async function mountTools(
  session: Session,
  reach: Reach,
  service: string,
  options: MountOptions,
): Promise<Mounted> {
  const { prefix, allow = [], pin, taken = [] } = parse(mountOptions, options)
  const parts = reach(session)
  const url = await mcpUrl(parts, service)
  const credential = await chooseCredential(parts.credentials, parts.owner, service, url)
  const connections = new Connections(url)
  const listing = await connections.list(parts, credential).catch((error: unknown) => {
    throw listFault(error, url)
  })
  const { hash } = listing
  if (pin !== undefined && pin !== hash) {
    throw new AuthError('invalid_input', 'pin: the service lists other tools than it did then', {
      details: { hash },
    })
  }
  const left = [...listing.left]
  const leave = (name: string, why: string) => left.push({ name: shownName(name), why })
  const tools: AuthTool[] = []
  const names = namesOf(listing, prefix ?? prefixOf(url), taken)
  const isAllowed = ({ name }: Definition) => allow.includes(name)
  // Where there are too many, those that the operator has named go first.
  const chosen = [...listing.tools.values()].sort(
    (a, b) => Number(isAllowed(b)) - Number(isAllowed(a)),
  )
  for (const definition of chosen) {
    const name = names.get(definition)
    if (name === undefined) {
      leave(definition.name, 'its name cannot be used, or another tool has it')
      continue
    }
    if (tools.length === maxMounted) {
      leave(definition.name, `${maxMounted} are mounted already`)
      continue
    }
    const read = readSchema(definition.inputSchema)
    if ('why' in read) {
      leave(definition.name, read.why)
      continue
    }
    const allowed = isAllowed(definition)
    const tool = { service, url, name, definition, allowed, connections }
    tools.push(authTool(tool, read.schema, reach))
  }
  for (const name of allow) {
    if (!listing.tools.has(name)) leave(name, 'it is allowed, but the service does not list it')
  }
  return { tools, hash, left }
}

/** The names for the model. A tool without one shares it with another, or it cannot be made safe. */
function namesOf(
  { tools }: Listing,
  prefix: string,
  taken: readonly string[],
): ReadonlyMap<Definition, string> {
  const safe = [...tools.values()].flatMap((definition) => {
    const own = definition.name.replace(/[./]/g, '_')
    const name = own === '' ? '' : `${prefix}_${own}`
    return /^(?!auth_)[A-Za-z0-9_-]{1,64}$/i.test(name) ? [[definition, name] as const] : []
  })
  // Names that differ in case alone are mistaken for each other.
  const all = [...taken, ...safe.map(([, name]) => name)].map((name) => name.toLowerCase())
  const alone = safe.filter(([, name]) => {
    const low = name.toLowerCase()
    return all.indexOf(low) === all.lastIndexOf(low)
  })
  return new Map(alone)
}

/** The name of a service: `telnyx` for `https://api.telnyx.com/v2/mcp`. */
function prefixOf({ hostname }: URL): string {
  const [name = ''] = (registrableDomain(hostname) ?? hostname).split('.')
  return name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 32) || 'service'
}

type Schema = AuthTool['inputSchema']

function authTool(tool: MountedTool, inputSchema: Schema, reach: Reach): AuthTool {
  const { name, definition, url, allowed } = tool
  const who = allowed
    ? 'The operator lets it run without asking.'
    : 'A person must agree to each call.'
  const words = definition.description ?? definition.title ?? definition.name
  return {
    name,
    verb: 'use',
    title: ownLine(`${url.host}: ${definition.title ?? definition.name}`, maxTitle),
    description: `A tool of ${url.host} over MCP. ${who}\n${serviceText(words, maxDescription)}`,
    inputSchema,
    preview: async (session, input) =>
      previewTool(reach(session), tool, argsOf(inputSchema, input)),
    run: (session, input, call: Call) =>
      told(async () => {
        const parts = reach(session)
        const use = async () => callTool(parts, tool, argsOf(inputSchema, input), call)
        return parts.perform('use', call, use)
      }),
  }
}

/** The arguments of a call. What is wrong with them is said in our words, not in those of the schema. */
function argsOf(schema: Schema, input: unknown): Readonly<Record<string, unknown>> {
  const parsed = schema.safeParse(input ?? {})
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.slice(0, 5).map(({ code, path, message }) => {
    return `${path.join('.') || 'the arguments'}: ${code === 'invalid_type' ? message : code}`
  })
  throw new AuthError('invalid_input', faults.join('; '))
}

/** Why a list could not be read. What the server said is not quoted. */
function listFault(error: unknown, url: URL): AuthError {
  if (AuthError.isInstance(error)) return error
  const where = displayUrl(url)
  if (error instanceof HttpFailure) {
    const { status } = error.clean
    return new AuthError('network_failed', `${where} answered with HTTP ${status}`, {
      details: { status },
    })
  }
  const code = rpcFailure(error)?.code
  const said = code === undefined ? 'did not answer as MCP asks' : `answered with error ${code}`
  return new AuthError('response_malformed', `${where} ${said}`)
}
