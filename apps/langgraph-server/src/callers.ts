import type { Owner } from '@authmd/core'
import { Auth, HTTPException } from '@langchain/langgraph-sdk/auth'

/** Stands for your own sessions: who is calling, by the token that they bring. */
const known = new Map([
  ['made-up-token-of-kim', { identity: 'kim', tenant: 'acme', permissions: [] }],
  ['made-up-token-of-lee', { identity: 'lee', tenant: 'acme', permissions: [] }],
  ['made-up-token-of-mia', { identity: 'mia', tenant: 'acme', permissions: [] }],
])

/** Lets in whom we know, and to their own threads alone. What has no rule here is closed. */
export const callers = new Auth()
  .authenticate((request) => {
    const token = request.headers.get('authorization')?.replace(/^Bearer /, '')
    const user = known.get(token ?? '')
    if (user === undefined) throw new HTTPException(401, { message: 'Who are you?' })
    return user
  })
  .on('threads', ({ value, user }) => {
    if ('metadata' in value) value.metadata = { ...value.metadata, caller: user.identity }
    return { caller: user.identity }
  })
  .on('assistants:read', () => true)
  .on('*', () => false)

/** Whose credentials a run uses: the server puts its caller there, whatever the request says. */
export function ownerOf(user: unknown): Owner {
  const { tenant, identity } = user as { readonly tenant: string; readonly identity: string }
  return { tenant, user: identity }
}
