import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { fileStore } from '../src/node/file-store.ts'
import { MasterKey } from '../src/node/main.ts'
import { oauthWorld, redirectUri, works } from './oauth-world.ts'
import { closeWorlds, expectStatus, sent } from './world.ts'

afterEach(closeWorlds)

/** A code is a secret: it comes by the standard input, and not by an argument. */
function start(argument: object, back = '') {
  const args = [
    '--no-warnings',
    join(import.meta.dirname, 'oauth-child.ts'),
    JSON.stringify(argument),
  ]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(back)
  onTestFinished(() => void child.kill('SIGKILL'))
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const ended = new Promise<string>((done) => child.once('close', () => done(text.trim())))
  return { kill: () => child.kill('SIGKILL'), ended }
}

/** A world of processes that share a store on disk. */
async function processes() {
  const dir = await mkdtemp(join(tmpdir(), 'authmd-oauth-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const open = await oauthWorld({ grants: ['authorization_code'] })
  const store = fileStore({ dir, key: new MasterKey(new Uint8Array(32).fill(7)) })
  const world = { ...open, ...open.with({ redirectUri }, store) }
  const { service, sandbox } = world
  const child = (back?: string) =>
    start({ dir, service, redirectUri, now: sandbox.clock.now() }, back)
  return {
    ...world,
    child,
    /** Kills the process while its request is held, and lets what it held in the store run out. */
    async killed(name: string, at: 'before' | 'after', back?: string): Promise<void> {
      const fault = sandbox.faults.add({ name, hold: at, times: 1 })
      const { kill, ended } = child(back)
      await fault.whenHeld()
      kill()
      await ended
      fault.remove()
      sandbox.clock.advance(61_000)
    },
    async open() {
      const { registrations } = expectStatus(await world.session.discover(), 'found')
      return registrations[0] ?? expect.fail('no registration')
    },
  }
}

test('each step may be of another process', async () => {
  const world = await processes()
  expect(await world.child().ended).toBe('needs_person')
  const { id: registration } = await world.open()
  const url = await world.authorise(await world.session.claim({ registration }))
  expect(await world.child(url).ended).toBe('ready')
  expect(await world.me()).toMatchObject(works)
})

test.each(['before', 'after'] as const)(
  'killed %s a client was made: it is said, and none is made again unasked',
  async (at) => {
    const world = await processes()
    await world.killed('oauth_register', at)
    const { id: registration } = await world.open()
    const doubtful = expectStatus(await world.session.claim({ registration }), 'uncertain')
    expect(doubtful).toMatchObject({
      request: 'oauth_client',
      orphans: [{ request: 'oauth_client' }],
    })
    expect(sent(world, 'oauth_register')).toBe(1)
    const input = { service: world.service, registration }
    const asked = expectStatus(await world.session.register(input), 'needs_consent')
    await world.auth.people.answer(asked.consent, { approve: true }, { approver: 'kim' })
    const shown = await world.session.register(input)
    expectStatus(await world.back(await world.authorise(shown)), 'ready')
    expect(sent(world, 'oauth_register')).toBe(2)
  },
)

test.each(['before', 'after'] as const)(
  'killed %s a code was changed for a token: the code is not sent again',
  async (at) => {
    const world = await processes()
    expect(await world.child().ended).toBe('needs_person')
    const { id: registration } = await world.open()
    const url = await world.authorise(await world.session.claim({ registration }))
    await world.killed('oauth_token', at, url)
    // Whoever comes next with the same address finds nobody waiting.
    await expect(world.back(url)).rejects.toMatchObject({ code: 'not_found' })
    const doubtful = expectStatus(await world.session.claim({ registration }), 'uncertain')
    expect(doubtful).toMatchObject({
      request: 'oauth_token',
      orphans: [{ request: 'oauth_token', what: 'an access token that nobody holds' }],
    })
    expect(sent(world, 'oauth_token')).toBe(1)
  },
)
