import type { LogEntry } from '@authmd/sandbox'
import type { ChatOptions, Driver, Mode } from './driver.ts'
import { deleteKeys, effects, inWorld, owner, secretsIn, solution, type World } from './world.ts'

/** What a model, or a person who is asked, was told for each kind of outcome. */
type Told = Readonly<Record<string, string>>

export interface Walked {
  readonly told: Told
  /** The requests of the undisturbed way by name: those that went out together, wave after wave. */
  readonly requests: readonly string[]
  readonly approvals: number
  /** All that the framework has stored or let out, and the kinds of the secrets that occur in it. */
  readonly held: string
  readonly secrets: readonly string[]
}

const input = (tool: string, given: Record<string, unknown>) => ({ tool, input: given })

/** Goes the whole way from nothing to a revoked key, and the ways that end early. */
export async function walk(driver: Driver, mode: Mode): Promise<Walked> {
  const told: Record<string, string> = {}
  const way = await inWorld((world) => wholeWay(world, driver, told, { mode, owner }))
  for (const end of ['denied', 'uncertain'] as const) {
    await inWorld(async (world) => {
      const chat = await driver.open(world, { mode, owner })
      if (end === 'uncertain') world.sandbox.faults.add({ name: 'bot_signup', cut: 'after' })
      await chat.say(signup(world))
      const turn = await chat.answer(end !== 'denied')
      told[end] = normal(turn.told.at(-1) ?? turn.waits, world)
      if (end === 'denied' && effects(world).length > 0) throw new Error('a no was not heeded')
    })
  }
  return { told, ...way }
}

/** From nothing to a revoked key. What was said for each kind of outcome is put into `told`. */
export async function wholeWay(
  world: World,
  driver: Driver,
  told: Record<string, string>,
  options: ChatOptions,
): Promise<Omit<Walked, 'told'>> {
  const { service, sandbox } = world
  const keep = (kind: string, text: string | undefined) => {
    told[kind] = normal(text, world)
  }
  const chat = await driver.open(world, options)
  const path = '/v2/available_phone_numbers'
  const lost = await chat.say([
    input('auth_claim', { registration: 'reg_unknown' }),
    input('auth_use', { service, path }),
  ])
  keep('error', lost.told[0])
  keep('refused', lost.told[1])
  // So that what goes out together overlaps.
  sandbox.faults.add({ name: '*', delay: 300 })
  const asked = await chat.say(signup(world))
  sandbox.faults.clear()
  keep('found', asked.told[0])
  keep('needs_answer', asked.told[1])
  keep('needs_consent', asked.asked[0])
  if (effects(world).length > 0) throw new Error('something was done before the answer')
  const registration = (text: string) => ({ registration: /reg_[\w-]+/.exec(text)?.[0] })
  const ready = await chat.answer(true, [(text) => input('auth_claim', registration(text))])
  keep('pending', ready.told.at(-2))
  keep('ready', ready.told.at(-1))
  const credential = /cred_[\w-]+/.exec(ready.told.at(-1) ?? '')?.[0]
  const used = await chat.say([
    input('auth_use', { service, path: '/v2/debug/echo' }),
    input('auth_use', { service, path, query: { 'page[size]': 1 } }),
    input('auth_revoke', { credential }),
  ])
  keep('answered', used.told.at(-1))
  keep('needs_consent_revoke', used.asked[0])
  const approvals = asked.asked.length + used.asked.length
  const waiting = await chat.answer(true)
  keep('needs_person', waiting.told.at(-1) ?? waiting.waits)
  await deleteKeys(world)
  const ended = await chat.say([input('auth_revoke', { credential })])
  keep('ended', ended.told.at(-1))
  const held = await chat.held()
  return { requests: waves(world), approvals, held, secrets: secretsIn(world, held) }
}

/** What went out together, wave after wave: a request that began after another's end is of the next. */
function waves({ sandbox }: World): readonly string[] {
  const served = sandbox.log.filter(({ name }) => sandbox.faults.names.includes(name))
  const all: LogEntry[][] = []
  for (const entry of served.filter(({ name }) => !name.startsWith('portal'))) {
    const wave = all.at(-1)
    const ended = wave?.some(({ endSeq = Number.POSITIVE_INFINITY }) => endSeq < entry.startSeq)
    if (wave && !ended) wave.push(entry)
    else all.push([entry])
  }
  return all.map((wave) =>
    wave
      .map(({ name }) => name)
      .sort()
      .join(' '),
  )
}

function signup(world: World) {
  const { service } = world
  return [
    input('auth_discover', { service }),
    input('auth_register', { service }),
    (text: string) => solution(world, text),
  ]
}

/** Without what differs from run to run: ports, ids, times, the puzzle itself. */
function normal(text = '', { sandbox }: World): string {
  return text
    .replaceAll(`:${new URL(sandbox.urls.api).port}`, '')
    .replace(/\b(reg|cred|cns)_(?!unknown)[\w-]{8,}/g, '$1_…')
    .replace(/\b[\da-f]{8}-[\da-f-]{27}\b/g, '…')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/(puzzle[^\n]*\n<<<[^\n]*\n)[\s\S]*?(\n>>>)/, '$1…$2')
}
