import { Secret } from '@authmd/core'
import type { World } from './world.ts'

/**
 * The secret itself, for the person at the terminal who has asked to see it. The one place of the command line
 * that opens one.
 *
 * @throws AuthError `not_found`
 */
export async function reveal({ auth, owner }: World, handle: string): Promise<string> {
  return Secret.open(await auth.admin.secret(owner, handle))
}
