import { randomBytes, randomUUID } from 'node:crypto'
import type { Hono } from 'hono'
import type { LedgerEntry } from '../ledger.ts'
import type { Mail } from '../mail.ts'
import type { SandboxContext, SandboxEnv } from '../server.ts'
import { apiError, jsonBody } from './api-error.ts'
import type { Telnyx } from './state.ts'

const domain = 'agent-inbox.test'

/** Mailboxes for agents, each for a proof of work. */
export function agentInboxRoutes(app: Hono<SandboxEnv>, telnyx: Telnyx): void {
  const { server, options, works, mail } = telnyx
  const { ledger } = server

  app.post(
    '/v2/agent_inboxes/challenges',
    server.endpoint('inbox_challenge', (c) => {
      if (jsonBody(c)?.purpose !== 'bot_signup') return wrongPurpose(c)
      const { id, text, bits, expiresAt } = works.create(
        options.agentInbox?.difficultyBits ?? 8,
        randomUUID(),
      )
      return c.json({
        data: {
          challenge_id: id,
          algorithm: 'sha256-v1',
          challenge: text,
          difficulty_bits: bits,
          expires_at: new Date(expiresAt).toISOString(),
        },
      })
    }),
  )

  app.post(
    '/v2/agent_inboxes',
    server.endpoint('inbox_create', (c) => {
      const body = jsonBody(c)
      if (body?.purpose !== 'bot_signup') return wrongPurpose(c)
      const { challenge_id: id, nonce } = (body.pow ?? {}) as Record<string, unknown>
      const readable = typeof nonce === 'string' || typeof nonce === 'number'
      // A wrong one costs nothing: the challenge stays open.
      if (typeof id !== 'string' || !readable || !works.isDone(id, ':', String(nonce))) {
        return apiError(c, 'challenge', 'Invalid proof of work')
      }
      works.spend(id)
      const account = randomUUID()
      const value = `INBOX01SANDBOX${randomBytes(16).toString('hex').toUpperCase()}`
      const request = c.env.entry.n
      ledger.issue({ kind: 'inbox_key', value, account, request })
      c.env.entry.effect = true
      return c.json({
        data: { email: addressOf(account), account_id: account, account_key: value },
      })
    }),
  )

  /** The mails of the inbox whose key the request carries; nobody else's. */
  const mails = (c: SandboxContext): readonly Mail[] | undefined => {
    const key: LedgerEntry | undefined = ledger.findBearer(c.req.header('authorization'))
    const good = key?.kind === 'inbox_key' && ledger.isGood(key)
    return good && key.account === c.req.param('account')
      ? mail.list(addressOf(key.account))
      : undefined
  }
  app.get(
    '/v2/agent_inboxes/:account/messages',
    server.endpoint('inbox_messages', (c) => {
      const found = mails(c)
      return found ? c.json({ data: found.map(message) }) : noKey(c)
    }),
  )
  app.get(
    '/v2/agent_inboxes/:account/messages/:id',
    server.endpoint('inbox_message', (c) => {
      const found = mails(c)
      if (!found) return noKey(c)
      const one = found.map(message).find(({ id }) => id === c.req.param('id'))
      return one ? c.json({ data: one }) : apiError(c, 'notFound', 'There is no such message.')
    }),
  )
  app.notFound(
    server.endpoint('not_found', (c) => apiError(c, 'notFound', 'There is nothing here.')),
  )
}

function addressOf(account: string): string {
  return `agent-${account.slice(0, 13)}@${domain}`
}

/** Ids are those of the mails themselves (RFC 5322 §3.6.4), angle brackets and all. */
function message({ id, from, subject, receivedAt, html }: Mail) {
  const received_at = new Date(receivedAt).toISOString()
  return { id: `<${id}@${domain}>`, from, subject, received_at, html }
}

function wrongPurpose(c: SandboxContext): Response {
  return apiError(c, 'invalid', 'purpose must be bot_signup.')
}

function noKey(c: SandboxContext): Response {
  return apiError(c, 'unauthorized', 'The account key is missing or not the one of this inbox.')
}
