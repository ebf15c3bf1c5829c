import { UsageError } from '../job.ts'

/** A port to listen at; 0 takes any free one. */
export function portOf(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new UsageError('--port is 0 to 65535')
  return port
}
