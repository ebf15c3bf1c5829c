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

/** The link of the mail, as the person who got it would hand it over. */
export async function link(world: World): Promise<string> {
  const mail = await world.sandbox.mail.waitFor(shared.email)
  return /https?:[^"\s<]*token=[^"\s<]+/.exec(mail.html)?.[0]?.replaceAll('&amp;', '&') ?? ''
}

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
