import { agent } from '../../server/agent.ts'
import { openFirst, visitor } from '../../server/visitor.ts'

/** Sends the person to the page where something is handed over; its address goes nowhere else. */
export async function POST(request: Request): Promise<Response> {
  const known = await visitor()
  if (known === undefined) return openFirst()
  const { auth, intake } = await agent()
  const form = await request.formData().catch(() => undefined)
  const registration = String(form?.get('registration'))
  const outcome = await auth.as(known.owner).discover()
  const own =
    outcome.status === 'found' && outcome.registrations.some(({ id }) => id === registration)
  if (!own) return new Response('There is nothing to hand over.\n', { status: 404 })
  const { url: location } = await intake.link(registration)
  return new Response(null, { status: 303, headers: { location, 'cache-control': 'no-store' } })
}
