// One process that goes one step on the way by OAuth: begins with a person's yes, or takes a browser back.
import { text } from 'node:stream/consumers'
import { allowLoopback } from '../src/net/transport.ts'
import { fileStore } from '../src/node/file-store.ts'
import { createAgentAuth, MasterKey } from '../src/node/main.ts'

const { dir, now, service, redirectUri } = JSON.parse(process.argv[2] ?? '') as Record<
  string,
  string
>
const owner = { tenant: 'acme', user: 'kim' }
const auth = createAgentAuth({
  store: fileStore({ dir: dir ?? '', key: new MasterKey(new Uint8Array(32).fill(7)) }),
  [allowLoopback]: true,
  clock: () => Number(now),
  oauth: { redirectUri: redirectUri ?? '' },
})
const back = (await text(process.stdin)).trim()
if (back !== '') {
  console.log((await auth.people.callback(back, { owner, approver: 'kim' })).status)
} else {
  const input = { service: service ?? '', method: 'oauth-code' }
  const asked = await auth.as(owner).register(input)
  if (asked.status !== 'needs_consent') throw new Error(asked.status)
  await auth.people.answer(asked.consent, { approve: true }, { approver: 'kim' })
  console.log((await auth.as(owner).register(input)).status)
}
