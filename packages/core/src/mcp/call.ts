import { type Action, canonical, type Effect, makeAction } from '../consent/action.ts'
import type { Call } from '../consent/ledger.ts'
import { sha256 } from '../encoding.ts'
import { AuthError, type AuthErrorCode } from '../errors.ts'
import type { Outcome } from '../outcome.ts'
import { errorsOf, withoutSecrets } from '../use/answer.ts'
import { covers } from '../use/audience.ts'
import type { Redactor } from '../use/redactor.ts'
import { maxBody, secretFault, shown, visibleJson } from '../use/request.ts'
import {
  answered,
  type Done,
  failed,
  noteLacking,
  refusedBy,
  unusable,
  withConsent,
} from '../use/use.ts'
import type { Credential } from '../vault/credentials.ts'
import type { McpParts } from './access.ts'
import { rpcFailure } from './connection.ts'
import type { Called, Connections } from './connections.ts'
import type { Definition } from './definition.ts'
import { readResult } from './result.ts'
import { HttpFailure } from './wire.ts'

/** A tool of a service as it was mounted. */
export interface MountedTool {
  readonly service: string
  readonly url: URL
  /** The name under which the model knows it. */
  readonly name: string
  readonly definition: Definition
  /** The operator lets it run without asking. */
  readonly allowed: boolean
  readonly connections: Connections
}

type Args = Readonly<Record<string, unknown>>

/** A call that may be made once its action is consented to. */
interface Prepared {
  readonly credential: Credential
  readonly redactor: Redactor
  readonly args: Args
  readonly action: Action | undefined
}

/** JSON-RPC: not understood, so that nothing was done. */
const notDone = [-32_700, -32_600, -32_601, -32_602]

/** What goes wrong with a request, whoever made it. */
const onTheWay: readonly AuthErrorCode[] = [
  'address_refused',
  'aborted',
  'invalid_url',
  'network_failed',
  'outside_audience',
  'redirect_refused',
  'refresh_failed',
  'response_timeout',
  'secret_refused',
]

/** What the framework has to ask a person about a call, from the stored records alone. */
export async function previewTool(
  parts: McpParts,
  tool: MountedTool,
  args: Args,
): Promise<Action | undefined> {
  if (parts.consents.rules.outOfBand) return undefined
  const prepared = await prepare(parts, tool, args)
  return 'status' in prepared ? undefined : parts.consents.toAsk(prepared.action)
}

/** Makes a call under its consent, over a connection of its own owner, and makes the answer safe to show. */
export async function callTool(
  parts: McpParts,
  tool: MountedTool,
  args: Args,
  call: Call,
): Promise<Outcome> {
  const prepared = await prepare(parts, tool, args)
  if ('status' in prepared) {
    if (prepared.code === 'no_credential') await tool.connections.drop(parts)
    return prepared
  }
  const { credential, action } = prepared
  return withConsent(
    parts.consents,
    action,
    call,
    () => lost(credential, tool),
    async () => {
      const { definition, connections } = tool
      const called = await connections.call(parts, credential, definition, prepared.args)
      return doneOf(parts, tool, prepared, called)
    },
  )
}

async function prepare(
  parts: McpParts,
  tool: MountedTool,
  args: Args,
): Promise<Prepared | Extract<Outcome, { status: 'refused' }>> {
  const { service, url, name, definition, allowed } = tool
  const refuse = (
    code: 'no_credential' | 'outside_audience' | 'request_refused',
    reason: string,
  ) => {
    const next =
      code === 'no_credential'
        ? `auth_register { service: "${service}" } gets a new one`
        : `${name} with what the rule allows`
    return { status: 'refused', service, code, reason, next } as const
  }
  const held = await parts.credentials.forUse(parts.owner, service)
  const usable = held.filter((one) => one.parent === undefined && !unusable(one))
  if (usable.length === 0) {
    return refuse('no_credential', 'No credential is held for this service (any more).')
  }
  const credential = fittest(usable.filter((one) => covers(one.audience, url)))
  if (credential === undefined) {
    return refuse('outside_audience', 'The credential may not go to the MCP server.')
  }
  const json = canonical(args)
  if (json.length > maxBody) return refuse('request_refused', 'the arguments are too long')
  const redactor = await parts.redactor()
  const fault = secretFault(json, (text) => redactor.redact(text).found > 0)
  if (fault) return refuse('request_refused', fault)
  const sorted = JSON.parse(json) as Args
  const effect: Effect = {
    kind: 'unsafe-request',
    method: 'POST',
    url: url.href,
    bodyHash: await sha256(json),
    body: shown(visibleJson(sorted)),
    tool: {
      name: definition.name,
      definition: definition.hash,
      credential: credential.handle,
    },
  }
  const { revision } = credential
  const about = { verb: 'use', owner: parts.owner, service: credential.service, revision } as const
  const action = await makeAction({ ...about, effects: [effect] })
  // The operator's list of tools counts where no rule of the policy says otherwise.
  const listed = allowed && parts.consents.rules.judge(action).by === 'default'
  return { credential, redactor, args: sorted, action: listed ? undefined : action }
}

/**
 * The first; in the place of one that lacks rights the one that was got for want of them, which nothing but a call of
 * a tool can show to work.
 */
function fittest([first, ...others]: readonly Credential[]): Credential | undefined {
  if (first?.lacks === undefined) return first
  return others.find(({ replaces }) => replaces === first.handle) ?? first
}

/** What came of a call, as an outcome; `open` where it surely changed nothing. */
async function doneOf(
  parts: McpParts,
  tool: MountedTool,
  { credential, redactor, action }: Prepared,
  called: Called,
): Promise<Done> {
  const { service } = credential
  const again = `${tool.name} with corrected arguments`
  if (called.kind === 'changed') {
    const outcome: Outcome = {
      status: 'refused',
      service,
      code: 'tools_changed',
      reason:
        'The service describes this tool otherwise than when it was mounted. Nothing was called.',
      next: 'none, until the application has mounted the tools again',
    }
    return { outcome, open: true }
  }
  if (called.kind === 'answer') {
    const { clean, isError } = readResult(called.result, redactor)
    if (isError) {
      const reason = 'The tool reports that it failed.'
      const errors = errorsOf(clean.text)
      const code = 'service_refused'
      return {
        outcome: { status: 'refused', service, code, reason, errors, next: again },
        open: false,
      }
    }
    const outcome = await answered(parts, credential, clean, `tools/call ${tool.definition.name}`)
    const next = `${tool.name} again, or another tool`
    return { outcome: { ...outcome, next }, open: false }
  }
  const { error, sent } = called
  const binds = action !== undefined && sent
  const rpc = rpcFailure(error)
  if (rpc) {
    const definite = notDone.includes(rpc.code) || !sent
    const detail = withoutSecrets([rpc.message], redactor, false).texts[0]?.slice(0, 500) ?? ''
    const outcome: Outcome = {
      status: 'refused',
      service,
      code: definite ? 'service_refused' : 'service_failed',
      reason: definite
        ? 'The service refused the call.'
        : `The service failed${binds ? '; whether it was done is not known' : ''}.`,
      errors: [{ code: String(rpc.code), detail }],
      next: again,
    }
    return { outcome, open: definite }
  }
  const whenLost = binds ? () => lost(credential, tool) : undefined
  if (error instanceof HttpFailure) {
    await noteLacking(parts, credential, error.clean)
    const refused = refusedBy(credential, error.clean, binds, parts.now())
    if (refused) return { outcome: asTool(refused, again), open: error.clean.status < 500 || !sent }
  }
  if (AuthError.isInstance(error) && (whenLost || onTheWay.includes(error.code))) {
    const { outcome, open } = failed(credential, whenLost, error, false)
    return { outcome: asTool(outcome, again), open }
  }
  if (whenLost) return { outcome: whenLost(), open: false }
  const why = AuthError.isInstance(error) ? error.message : 'its answer cannot be read'
  const outcome: Outcome = {
    status: 'refused',
    service,
    code: 'service_failed',
    reason: `The MCP server cannot be used: ${why}.`,
    next: 'the same call again, later',
  }
  return { outcome, open: true }
}

/** An outcome of `use` with the next call named as that of the tool. */
function asTool(outcome: Outcome, next: string): Outcome {
  return outcome.next.startsWith('auth_use') ? { ...outcome, next } : outcome
}

function lost({ service }: Credential, { name, definition }: MountedTool): Outcome {
  return {
    status: 'uncertain',
    service,
    request: `tools/call ${definition.name}`,
    check: 'The answer was lost: it may or may not have been done. Look before trying again.',
    orphans: [],
    next: `a tool or a GET that shows whether ${name} was done`,
  }
}
