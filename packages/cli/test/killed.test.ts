import { expect, test } from 'vitest'
import { answerTo, openCli, type World } from './cli.ts'

const made = ({ sandbox }: World) => sandbox.log.filter(({ effect }) => effect)

test('killed while it asks for the puzzle: the next run goes on with the same registration', async () => {
  await using world = await openCli()
  const { api } = world.sandbox.urls
  const fault = world.sandbox.faults.add({ name: 'bot_challenge', hold: 'after', times: 1 })
  const killed = world.start(['register', api, '--json'])
  await fault.whenHeld()
  killed.kill('SIGKILL')
  expect((await killed.ended).stdout).toBe('')
  fault.remove()
  const [begun] = (await world.json(['list'])).registrations
  const puzzle = await world.json(['register', api])
  expect(puzzle).toMatchObject({ exit: 7, outcome: { registration: begun.id } })
  const { registration, problem } = puzzle.outcome
  const asked = await world.json([
    'claim',
    registration,
    '--answer',
    answerTo(world.sandbox, problem),
  ])
  expect(asked).toMatchObject({ exit: 4, outcome: { status: 'needs_consent' } })
  expect((await world.json(['list'])).registrations).toHaveLength(1)
})

test('killed while it creates: that is said, and made again only when it is agreed to again', async () => {
  await using world = await openCli()
  const { authMd: api } = world.sandbox.urls
  const env = { AUTHMD_EMAIL: undefined }
  const register = (...more: string[]) => world.json(['register', api, ...more], { env })
  const { digest } = (await register()).outcome.action
  const fault = world.sandbox.faults.add({ name: 'agent_register', hold: 'after', times: 1 })
  const killed = world.start(['register', api, '--approve', digest], { env })
  await fault.whenHeld()
  killed.kill('SIGKILL')
  await killed.ended
  fault.remove()

  const doubt = await register('--approve', digest)
  expect(doubt).toMatchObject({ exit: 6, outcome: { status: 'uncertain' } })
  expect(doubt.outcome.orphans).toHaveLength(1)
  // The yes was for the request that was lost.
  const asked = await register('--approve', digest)
  expect(asked).toMatchObject({ exit: 4, outcome: { status: 'needs_consent' } })
  expect(made(world)).toHaveLength(1)
  const ready = await register('--approve', asked.outcome.action.digest)
  expect(ready).toMatchObject({
    exit: 0,
    outcome: { status: 'ready', registration: doubt.outcome.registration },
  })
})
