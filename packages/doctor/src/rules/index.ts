import type { Rule } from '../facts.ts'
import { agentAuthRules } from './agent-auth.ts'
import { challengeRules } from './challenge.ts'
import { consistencyRules } from './consistency.ts'
import { documentRules } from './document.ts'
import { endpointRules } from './endpoints.ts'
import { labelRules } from './labels.ts'
import { lifecycleRules } from './lifecycle.ts'
import { linkRules } from './links.ts'
import { resourceRules } from './resource-metadata.ts'
import { secretRules } from './secrets.ts'
import { serverRules } from './server-metadata.ts'
import { stepRules } from './steps.ts'

/** All that is checked. */
export const rules: readonly Rule[] = [
  ...documentRules,
  ...lifecycleRules,
  ...labelRules,
  ...endpointRules,
  ...linkRules,
  ...stepRules,
  ...secretRules,
  ...consistencyRules,
  ...resourceRules,
  ...challengeRules,
  ...serverRules,
  ...agentAuthRules,
]
