import { Chat } from '../components/chat.tsx'
import { agent } from '../server/agent.ts'
import { visitor } from '../server/visitor.ts'

/** The conversation as the server kept it; the browser goes on from there. */
export default async function Page() {
  const known = await visitor()
  const { conversations } = await agent()
  return <Chat saved={conversations.get(known?.owner.user ?? '') ?? []} />
}
