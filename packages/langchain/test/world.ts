import type { Session } from '@authmd/core'
import * as shared from '@authmd/scenarios/world'

export {
  deleteKeys,
  effects,
  email,
  importKey,
  obtain,
  owner,
  startWorld,
  stranger as eve,
  type World,
} from '@authmd/scenarios/world'

/** A call as the framework's messages hold it. */
export interface ToolCall {
  readonly name: string
  readonly args: Record<string, unknown>
}
export interface Signup extends ToolCall {
  readonly args: { service: string; registration: string; answer: string }
}

type World = shared.World

export function solution(world: World, said: string): Signup {
  const { tool: name, input: args } = shared.solution(world, said)
  return { name, args }
}

export async function beginSignup(world: World, session?: Session): Promise<Signup> {
  const { tool: name, input: args } = await shared.beginSignup(world, session)
  return { name, args }
}

export function message(world: World, text: string): ToolCall {
  const { tool: name, input: args } = shared.message(world, text)
  return { name, args }
}

/** How many messages the service sent. */
export const sent = (world: World): number => shared.sent(world).length
