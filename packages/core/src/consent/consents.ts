import type { Action } from './action.ts'
import type { Call, ConsentLedger, Standing } from './ledger.ts'
import type { CallFacts, Explanation, Rules, Ruling } from './policy.ts'

/** Where an action stands with the policy and the ledger. */
export type Passage = Standing | { readonly kind: 'forbidden'; readonly ruling: Ruling }

/**
 * What stands before everything that binds: first the policy, then a person's word. What either of them
 * agreed to is a row of the ledger, used up by the call that does it.
 */
export class Consents {
  readonly ledger: ConsentLedger
  readonly rules: Rules

  constructor(ledger: ConsentLedger, rules: Rules) {
    this.ledger = ledger
    this.rules = rules
  }

  /** Which rule decides what a call may do, as far as it is known. */
  explain(call: CallFacts, action: Action | undefined): Explanation {
    const denied = this.rules.denies(call)
    if (denied) return denied
    if (action === undefined) return { decision: 'allow', by: 'default' }
    return { ...this.rules.judge(action), action }
  }

  /** The action as it has to be put to a person; undefined where the policy answers instead. */
  toAsk(action: Action | undefined): Action | undefined {
    const ruling = action && this.rules.judge(action)
    return ruling?.decision === 'ask' ? worded(action as Action, ruling) : undefined
  }

  /** The action as far as there is anything to agree to; undefined for what binds nobody and is allowed. */
  needed(action: Action): Action | undefined {
    const binds = action.effects.some(
      ({ kind }) => kind !== 'safe-request' && kind !== 'first-contact',
    )
    return binds || this.rules.judge(action).decision !== 'allow' ? action : undefined
  }

  /** Uses up the policy's yes or a person's, for this call. */
  async redeem(action: Action, call: Call): Promise<Passage> {
    const ruling = this.rules.judge(action)
    if (ruling.decision === 'deny') return { kind: 'forbidden', ruling }
    if (ruling.decision === 'ask') return this.ledger.redeem(action, call)
    return this.ledger.grant(action, call, this.rules.approver(action))
  }

  /** Puts the question of an action that the policy leaves to a person. */
  ask(action: Action, call: Call): Promise<Standing> {
    return this.ledger.ask(worded(action, this.rules.judge(action)), call)
  }
}

/** With the reason for asking, where the operator gave one. */
function worded(action: Action, { decision, because }: Ruling): Action {
  if (decision !== 'ask' || because === undefined) return action
  return { ...action, summary: `${action.summary}\nYou are asked because of this: ${because}.` }
}
