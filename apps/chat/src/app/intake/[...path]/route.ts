import { agent } from '../../../server/agent.ts'

async function handle(request: Request): Promise<Response> {
  const { intake } = await agent()
  return intake.handle(request)
}

export { handle as GET, handle as POST }
