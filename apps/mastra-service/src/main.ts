// npm run mastra-service
import { startSandbox } from '@authmd/sandbox'
import { serve } from '@hono/node-server'
import { type HonoBindings, type HonoVariables, MastraServer } from '@mastra/hono'
import { Hono } from 'hono'

const { PORT = '4111' } = process.env
process.env.MASTRA_TELEMETRY_DISABLED ??= '1'
process.env.SERVICE ??= (await startSandbox()).urls.authMd
const { mastra } = await import('./mastra.ts')
const app = new Hono<{ Bindings: HonoBindings; Variables: HonoVariables }>()
await new MastraServer({ app, mastra }).init()
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(PORT) }, ({ port }) => {
  console.log(
    `Mastra: http://127.0.0.1:${port}\nThe service is a sandbox at ${process.env.SERVICE}`,
  )
})
