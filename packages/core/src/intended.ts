import { claimPush } from './claim.ts'
import type { Action, Verb } from './consent/action.ts'
import { firstContact } from './consent/contacts.ts'
import type { CallFacts } from './consent/policy.ts'
import type { Engine } from './engine/engine.ts'
import * as inputs from './inputs.ts'
import type { Outcome } from './outcome.ts'
import { registerTarget } from './register.ts'
import { prepareUse, useAction } from './use/request.ts'
import { mayNotEnd, revokeAction } from './use/revoke.ts'
import { unusable } from './use/use.ts'
import type { Credential } from './vault/credentials.ts'

type IntendedParts = Parameters<typeof firstContact>[0] &
  Parameters<typeof registerTarget>[0] & {
    readonly codesThroughModel: boolean
    readonly usable: (input: inputs.UseInput) => Promise<Credential | Outcome>
  }

/** What a call is about, and what it would do that somebody may have a word on. */
export interface Intended {
  readonly about: CallFacts
  readonly action?: Action | undefined
}

/** What a call would do, from the stored records alone: no network, no write. Undefined where nothing. */
export async function intended(
  parts: IntendedParts,
  verb: Verb,
  input: unknown,
): Promise<Intended | undefined> {
  const { owner, engine, credentials } = parts
  switch (verb) {
    case 'discover': {
      const { service } = inputs.parse(inputs.discoverInput, input)
      return service === undefined ? undefined : contact(parts, 'discover', service)
    }
    case 'register': {
      const wanted = inputs.parse(inputs.registerInput, input)
      if (wanted.registration !== undefined) return registering(parts, wanted)
      const first = await contact(parts, 'register', wanted.service)
      return first.action ? first : ((await registering(parts, wanted)) ?? first)
    }
    case 'claim': {
      const { registration, code } = inputs.parse(inputs.claimInput, input)
      const loaded = await engine.load(owner, registration)
      const push = loaded && claimPush(loaded.registration, code, parts.codesThroughModel)
      return push && 'type' in push ? step(engine, loaded.registration, push, verb) : undefined
    }
    case 'use': {
      const wanted = inputs.parse(inputs.useInput, input)
      const credential = await parts.usable(wanted)
      if ('status' in credential || unusable(credential)) return undefined
      const redactor = await parts.redactor()
      const holds = (text: string) => redactor.redact(text).found > 0
      const prepared = await prepareUse(wanted, credential, holds)
      if ('code' in prepared) return undefined
      const about = { verb, service: credential.service }
      return { about, action: await useAction(owner, credential, prepared) }
    }
    case 'revoke': {
      const { credential: handle, replace } = inputs.parse(inputs.revokeInput, input)
      const credential = await credentials.find(owner, handle)
      if (credential === undefined || mayNotEnd(credential, replace)) return undefined
      const { service } = credential
      if (!replace) return { about: { verb, service }, action: await revokeAction(credential) }
      return unusable(credential) ? undefined : registering(parts, { service }, credential)
    }
  }
}

async function contact(
  parts: IntendedParts,
  verb: 'discover' | 'register',
  asked: string,
): Promise<Intended> {
  const service = inputs.serviceUrl(asked)
  return { about: { verb, service }, action: await firstContact(parts, service) }
}

async function registering(
  parts: IntendedParts,
  wanted: inputs.RegisterInput,
  replaces?: Credential,
): Promise<Intended | undefined> {
  const target = await registerTarget(parts, wanted, true, replaces)
  if (target === undefined || !('loaded' in target)) return undefined
  return step(parts.engine, target.loaded.registration, target.push, 'register')
}

async function step(
  engine: Engine,
  registration: Parameters<Engine['preview']>[0],
  push: Parameters<Engine['preview']>[1],
  verb: Verb,
): Promise<Intended> {
  const { service, method } = registration.offer
  const action = await engine.preview(registration, push, verb)
  return { about: { verb: 'register', service, method }, action }
}
