import type { AddCommand } from '../job.ts'
import { claim } from './claim.ts'
import { discover } from './discover.ts'
import { doctor } from './doctor.ts'
import { importKey } from './import.ts'
import { list } from './list.ts'
import { mcp } from './mcp.ts'
import { register } from './register.ts'
import { revoke } from './revoke.ts'
import { rotate } from './rotate.ts'
import { sandbox } from './sandbox.ts'
import { serve } from './serve.ts'
import { show } from './show.ts'
import { tick } from './tick.ts'
import { use } from './use.ts'

/** Every command, in the order of the help. */
export const commands: readonly AddCommand[] = [
  discover,
  register,
  claim,
  use,
  importKey,
  list,
  show,
  rotate,
  revoke,
  tick,
  serve,
  mcp,
  doctor,
  sandbox,
]
