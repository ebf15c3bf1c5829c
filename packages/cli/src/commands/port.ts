import { UsageError } from '../job.ts'

/** A port to listen at; 0 takes any free one. */
export function portOf(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new UsageError('--port is 0 to 65535')
  return port
}

/** What listens there. A port that something else has is for the person to choose again. */
export async function listening<Server>(port: number, server: Promise<Server>): Promise<Server> {
  try {
    return await server
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EADDRINUSE') throw error
    throw new UsageError(`Port ${port} is taken. Name another with --port; 0 takes any free one.`)
  }
}
