import { Hono } from 'hono'
import type { ActiveFault, Fault } from './faults.ts'
import type { SandboxEnv, SandboxServer } from './server.ts'

/** The sandbox's controls over HTTP, for other processes. Everything is JSON. */
export function controlApp(
  { faults, log, ledger, clock }: SandboxServer,
  answerTo: (nonceOrProblem: string) => string | undefined,
): Hono<SandboxEnv> {
  const app = new Hono<SandboxEnv>()
  app.onError((error, c) => c.json({ error: error.message }, 400))
  app.get('/log', (c) => c.json(log))
  app.get('/ledger', (c) => c.json(ledger.entries))
  app.get('/faults', (c) => c.json({ names: faults.names, faults: faults.list().map(wire) }))
  app.post('/faults', async (c) => {
    const fault: Fault = await c.req.json()
    return c.json(wire(faults.add(fault)), 201)
  })
  app.delete('/faults', (c) => {
    faults.clear()
    return c.body(null, 204)
  })

  const one = (id: string): ActiveFault => {
    const fault = faults.list().find((other) => other.id === id)
    if (!fault) throw new Error(`no fault ${id}`)
    return fault
  }
  app.get('/faults/:id', (c) => c.json(wire(one(c.req.param('id')))))
  app.delete('/faults/:id', (c) => {
    one(c.req.param('id')).remove()
    return c.body(null, 204)
  })
  app.post('/faults/:id/release', (c) => {
    one(c.req.param('id')).release()
    return c.body(null, 204)
  })

  app.get('/clock', (c) => c.json({ now: clock.now() }))
  app.post('/clock', async (c) => {
    const { advanceMs }: { advanceMs: number } = await c.req.json()
    clock.advance(advanceMs)
    return c.json({ now: clock.now() })
  })
  app.get('/answer', (c) => {
    const answer = answerTo(c.req.query('nonce') ?? c.req.query('problem') ?? '')
    return answer === undefined ? c.json({ error: 'no such challenge' }, 404) : c.json({ answer })
  })
  return app
}

function wire({ id, fault, hits, held }: ActiveFault) {
  return { id, fault, hits, held: held.map(({ n }) => n) }
}
