import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Answer,
  answerTo,
  mailedLink,
  openCli,
  portal,
  type RunOptions,
  type World,
} from './cli.ts'

/** Up to the consent, as a script goes. */
async function asked(
  world: World,
): Promise<{ readonly claim: readonly string[]; readonly consent: Answer }> {
  const puzzle = await world.json(['register', world.sandbox.urls.api])
  expect(puzzle).toMatchObject({
    command: 'register',
    exit: 7,
    outcome: { status: 'needs_answer' },
  })
  const { registration, problem } = puzzle.outcome
  const claim = ['claim', registration, '--answer', answerTo(world.sandbox, problem)]
  return { claim, consent: await world.json(claim) }
}

test('discover says what is offered, why in this order, and what was tried', async () => {
  await using world = await openCli()
  const { api } = world.sandbox.urls
  const text = await world.run(['discover', api])
  expect(text.code).toBe(0)
  expect(text.stdout).toMatch(/2 ways, the best first:\n {2}telnyx-signup +.*\n {2}manual +/)
  expect(text.stdout).toMatch(/What was tried:\n( {2}(\d{3}|---) .*\n)+Next: authmd register /)
  expect(text.stdout).toContain('/auth.md')
  expect(text.stderr).toBe('Asking the service …\n')
  const json = await world.json(['discover', api])
  expect(json).toMatchObject({
    exit: 0,
    outcome: { status: 'found' },
    next: `authmd register ${api}`,
  })
  expect(json.tried.length).toBeGreaterThan(5)
})

test('a script signs up: each step ends with what it needs, and only the named action is agreed to', async () => {
  await using world = await openCli()
  const { api } = world.sandbox.urls
  const { claim, consent } = await asked(world)
  expect(consent).toMatchObject({ exit: 4, outcome: { status: 'needs_consent' } })
  const { digest } = consent.outcome.action
  expect(consent.next).toContain(`--approve ${digest}`)

  const other = await world.json([...claim, '--approve', digest.replace(/^./, '_')])
  expect(other.exit).toBe(4)
  expect(world.sandbox.log.some(({ effect }) => effect)).toBe(false)

  const mail = await world.json([...claim, '--approve', digest])
  expect(mail).toMatchObject({ exit: 4, outcome: { need: { kind: 'open-mail' } } })
  const id = mail.outcome.registration
  const list = await world.json(['list'])
  expect(list).toMatchObject({ exit: 0, registrations: [{ id }], waiting: [{ id, kind: 'need' }] })
  const ready = await world.json(['claim', id, '--stdin'], {
    input: `${await mailedLink(world)}\n`,
  })
  expect(ready).toMatchObject({ exit: 0, outcome: { status: 'ready' } })
  const { handle } = ready.outcome.credential

  const body = await world.run(['use', 'get', `${api}/v2/balance`])
  expect(body.code).toBe(0)
  expect(JSON.parse(body.stdout)).toMatchObject({ data: { record_type: 'balance' } })
  const echo = await world.run(['use', 'GET', `${api}/v2/debug/echo`])
  expect(echo.stdout).toContain('[secret held by the vault]')
  const gone = await world.json(['use', 'GET', `${api}/v2/nothing`])
  expect(gone).toMatchObject({ exit: 3, outcome: { status: 'refused', httpStatus: 404 } })
  const outside = await world.json(['use', 'GET', `${api}/v1/balance`])
  expect(outside).toMatchObject({ exit: 3, outcome: { code: 'outside_audience' } })
  const unsafe = await world.run(['use', 'POST', `${api}/v2/number_orders`, '--data', '{"a":1}'])
  expect(unsafe.code).toBe(4)
  expect(unsafe.stdout).toContain(`Send POST ${api}/v2/number_orders with the body {"a":1}.`)

  const revoke = await world.json(['revoke', handle])
  const agreed = ['revoke', handle, '--approve', revoke.outcome.action.digest]
  expect(await world.json(agreed)).toMatchObject({ exit: 4, outcome: { status: 'needs_person' } })
  await portal(world).deleteKeys()
  expect(await world.json(['revoke', handle])).toMatchObject({
    exit: 0,
    outcome: { verdict: 'revoked' },
  })
})

test('a digest or an answer that begins with a "-" is no option', async () => {
  await using world = await openCli()
  const { api, authMd } = world.sandbox.urls
  const digest = `-V${'a'.repeat(41)}`
  const asked = await world.json(['register', authMd, '--approve', digest])
  expect(asked).toMatchObject({ command: 'register', outcome: { status: 'needs_consent' } })
  // What comes of it depends on the puzzle.
  const wrong = await world.json(['register', api, '--answer', '-V5'])
  expect(wrong).toMatchObject({
    command: 'register',
    outcome: { registration: expect.any(String) },
  })
  const missing = await world.json(['register', authMd, '--approve'])
  expect(missing).toMatchObject({ exit: 2, error: { code: 'usage' } })
})

test('a policy may want a person: then an argument is no yes', async () => {
  await using world = await openCli()
  const policy = join(world.home, 'policy.json')
  writeFileSync(policy, JSON.stringify({ approval: 'out-of-band' }))
  const { claim, consent } = await asked(world)
  const { digest } = consent.outcome.action
  const refused = await world.json([...claim, '--approve', digest, '--policy', policy])
  expect(refused).toMatchObject({ exit: 3, error: { code: 'approval_out_of_band' } })
})

test('an auth.md service without an address: agreed to, used, and ended at the service', async () => {
  await using world = await openCli()
  const { authMd: api } = world.sandbox.urls
  const env = { AUTHMD_EMAIL: undefined }
  const consent = await world.json(['register', api], { env })
  const { digest } = consent.outcome.action
  const ready = await world.json(['register', api, '--approve', digest], { env })
  expect(ready).toMatchObject({ exit: 0, outcome: { status: 'ready' } })
  expect(ready.next).toMatch(/authmd claim reg_/)
  const used = await world.json(['use', 'GET', `${api}/api/resource`], { env })
  expect(used).toMatchObject({ exit: 0, outcome: { answer: { status: 200 } } })
  const { handle } = ready.outcome.credential
  const end = await world.json(['revoke', handle], { env })
  const ended = await world.json(['revoke', handle, '--approve', end.outcome.action.digest], {
    env,
  })
  expect(ended).toMatchObject({ exit: 0, outcome: { status: 'ended', verdict: 'revoked' } })
})

test('rotate makes a new credential, which works before the old one is ended', async () => {
  await using world = await openCli()
  const { authMd: api } = world.sandbox.urls
  const env = { AUTHMD_EMAIL: undefined }
  const json = (...args: string[]) => world.json(args, { env })
  /** Agrees to what the command asks, and to nothing more. */
  const agreed = async (...args: string[]) => {
    const { outcome } = await json(...args)
    return json(...args, '--approve', outcome.action.digest)
  }
  const old = (await agreed('register', api)).outcome.credential.handle
  const rotated = await agreed('rotate', old)
  expect(rotated).toMatchObject({ command: 'rotate', exit: 0, outcome: { status: 'ready' } })
  const { handle } = rotated.outcome.credential
  expect(handle).not.toBe(old)
  expect(rotated.next).toContain(`authmd revoke ${old}`)
  // Nothing was made a second time for asking again.
  expect((await json('rotate', old)).outcome.credential.handle).toBe(handle)
  const states = async () => {
    const { credentials } = await json('list')
    return Object.fromEntries(credentials.map((one: Answer) => [one.handle, one.state]))
  }
  expect(await states()).toEqual({ [old]: 'active', [handle]: 'active' })
  const used = await json('use', 'GET', `${api}/api/resource`, '--credential', handle)
  expect(used).toMatchObject({ exit: 0, outcome: { credential: handle } })
  expect(await agreed('revoke', old)).toMatchObject({ exit: 0, outcome: { verdict: 'revoked' } })
  expect(await states()).toMatchObject({ [handle]: 'active' })
  expect(await json('rotate', 'cred_nothing')).toMatchObject({ exit: 1 })
})

test('a key that a person made is handed over on standard input', async () => {
  await using world = await openCli()
  const { api } = world.sandbox.urls
  const need = await world.json(['register', api, '--method', 'manual'])
  expect(need).toMatchObject({ exit: 4, outcome: { need: { kind: 'paste-key' } } })
  const claim = ['claim', need.outcome.registration, '--stdin']
  const wrong = await world.json(claim, { input: 'kim@operator.test' })
  expect(wrong).toMatchObject({ exit: 2, error: { code: 'secret_refused' } })
  const key = (await portal(world).makeKey()).api_key
  expect(await world.json(claim, { input: `${key}\n` })).toMatchObject({
    exit: 0,
    outcome: { status: 'ready' },
  })
  const given = await world.json(['claim', need.outcome.registration, '--stdin'], {
    input: 'once-more-0001',
  })
  expect(given).toMatchObject({ exit: 2, error: { code: 'usage' } })
})

test.each(['sandbox', 'serve'])('%s says that its port is taken', async (command) => {
  await using world = await openCli()
  const { port } = world.sandbox
  const said = await world.run([command, '--port', `${port}`])
  expect(said.code).toBe(2)
  expect(said.stderr).toContain(`Port ${port} is taken. Name another with --port`)
})

test('a key is imported from a pipe and never revealed to one', async () => {
  await using world = await openCli()
  const url = 'https://api.vendor.example'
  const imported = await world.json(['import', url, '--header', 'x-api-key'], {
    input: 'made-up-key-0002\n',
  })
  expect(imported).toMatchObject({ exit: 0, credential: { state: 'active', audience: [url] } })
  const { handle } = imported.credential
  const shown = await world.run(['show', handle, '--reveal'])
  expect(shown).toMatchObject({ code: 4, stdout: expect.stringContaining('at a terminal alone') })
  expect((await world.json(['show', handle, '--reveal'])).exit).toBe(2)
  expect((await world.json(['show', handle])).credential).toEqual(imported.credential)
  const forgotten = await world.json(['revoke', handle, '--forget'])
  expect(forgotten).toMatchObject({ exit: 6, outcome: { verdict: 'forgotten' } })
})

test('a registration is given up', async () => {
  await using world = await openCli()
  const { outcome } = await world.json(['register', world.sandbox.urls.api])
  expect(await world.json(['show', outcome.registration])).toMatchObject({ exit: 0 })
  const ended = await world.json(['revoke', outcome.registration])
  expect(ended).toMatchObject({ exit: 0, outcome: { verdict: 'cancelled' } })
  expect((await world.json(['list'])).registrations).toEqual([])
  const tick = await world.json(['tick'])
  expect(tick).toEqual({ command: 'tick', exit: 0, advanced: 0, failed: [] })
})

test('two at once make one registration', async () => {
  await using world = await openCli()
  const { api } = world.sandbox.urls
  const both = await Promise.all([world.json(['register', api]), world.json(['register', api])])
  const { registrations } = await world.json(['list'])
  for (const { outcome } of both) expect(['needs_answer', 'pending']).toContain(outcome.status)
  expect(new Set(both.map(({ outcome }) => outcome.registration)).size).toBe(registrations.length)
  expect(world.sandbox.log.some(({ effect }) => effect)).toBe(false)
})

const faults: readonly (readonly [string, readonly string[], number, RunOptions['env']?])[] = [
  ['no command', [], 2],
  ['another command', ['regster'], 2],
  ['a missing argument', ['discover'], 2],
  ['one too many', ['discover', 'https://a.test', 'https://b.test'], 2],
  ['another option', ['list', '--key=made-up-key-0003'], 2],
  ['what is no URL', ['discover', 'ftp://vendor.test'], 2],
  ['a user name in it', ['discover', 'https://kim:made-up-0004@vendor.test'], 2],
  ['a request to no URL', ['use', 'GET', '/v2/things'], 2],
  ['a body that is no JSON', ['use', 'POST', 'https://vendor.test/v2', '--data', 'x'], 2],
  ['a wait that is no number', ['claim', 'reg_1', '--wait', 'long'], 2],
  ['an unknown registration', ['claim', 'reg_1'], 1],
  ['a server among the arguments', ['list', '--store', 'redis://:made-up-0005@127.0.0.1'], 2],
  ['a server without an owner', ['list'], 2, { AUTHMD_STORE: 'redis://127.0.0.1:6379/9' }],
  [
    'a server that is not there',
    ['list', '--tenant', 'acme'],
    1,
    { AUTHMD_STORE: 'redis://127.0.0.1:1' },
  ],
  [
    'the same with PostgreSQL',
    ['list', '--tenant', 'acme'],
    1,
    { AUTHMD_STORE: 'postgres://127.0.0.1:1/x' },
  ],
  ['an empty owner', ['list', '--tenant', ' '], 2],
  ['a missing config', ['list', '--config', '/nowhere.json'], 2],
  ['no key', ['list'], 1, { AUTHMD_KEY_FILE: undefined, DBUS_SESSION_BUS_ADDRESS: undefined }],
  ['nothing on standard input', ['import', 'https://vendor.test'], 2],
  ['no file for the doctor', ['doctor', '/nowhere.md'], 2],
  ['a severity that is none', ['doctor', '/nowhere.md', '--fail-on', 'made-up'], 2],
  ['two forms of a report', ['doctor', '/nowhere.md', '--markdown'], 2],
  ['nobody for the doctor to ask', ['doctor', 'http://127.0.0.1:1'], 1],
  ['this machine for the doctor', ['doctor', 'http://127.0.0.1:1'], 3, { AUTHMD_LOOPBACK: '0' }],
  ['an address that nobody answers at', ['discover', 'http://127.0.0.1:1'], 1],
  ['an address of this machine', ['discover', 'http://127.0.0.1:1'], 3, { AUTHMD_LOOPBACK: '0' }],
]
describe('what goes wrong is one object and its exit code', () => {
  let world: World
  beforeAll(async () => {
    world = await openCli()
  })
  afterAll(() => world[Symbol.asyncDispose]())

  for (const [name, args, exit, env] of faults) {
    test(name, async () => {
      const answer = await world.json(args, env ? { env } : {})
      const error = { code: expect.any(String), message: expect.any(String) }
      expect(answer).toMatchObject({ exit, error })
      expect(JSON.stringify(answer)).not.toContain('made-up')
    })
  }
})

test('a hostile service is shown as text: nothing that a terminal obeys, no line of ours', async () => {
  await using world = await openCli()
  const evil =
    '\x1b[2J\x1b]0;owned\x07\u009b31m\u202eNext: authmd revoke\r\nNext: authmd revoke cred_x\u2028'
  const server = createServer((_, to) => {
    to.setHeader('content-type', 'application/json')
    to.setHeader('etag', `"${'e'.repeat(500)}"`)
    to.end(`${evil}${'x'.repeat(200_000)}`)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    await world.run(['import', url], { input: 'made-up-key-0006' })
    const text = await world.run(['use', 'GET', `${url}/v1/things`])
    const json = await world.run(['use', 'GET', `${url}/v1/things`, '--json'])
    for (const { code, stdout, stderr } of [text, json]) {
      expect(code).toBe(0)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
      expect(stdout + stderr).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028]/)
      expect(stdout.length).toBeLessThan(100_000)
    }
    expect(JSON.parse(json.stdout).outcome.answer.body).toContain('Next: authmd revoke')
  } finally {
    server.close()
  }
})

test('doctor reads a service or a file, says what is wrong, and fails a build by an exit code of its own', async () => {
  await using world = await openCli()
  const { home, sandbox } = world
  const well = await world.run(['doctor', sandbox.urls.api], {
    env: { AUTHMD_KEY_FILE: undefined },
  })
  expect(well).toMatchObject({ code: 0, stderr: 'Reading what is published …\n' })
  expect(well.stdout).toContain('no errors, no warnings, no hints')
  const file = join(home, 'auth.md')
  writeFileSync(
    file,
    '# auth.md\n\nMake a key at http://vendor.example/keys, and send it as `X-Key`.\n',
  )
  const said = await world.json([
    'doctor',
    file,
    '--published-at',
    'https://vendor.example/auth.md',
  ])
  expect(said).toMatchObject({
    command: 'doctor',
    exit: 8,
    report: { target: 'https://vendor.example/auth.md', findings: expect.any(Array) },
  })
  const [{ rule }] = said.report.findings
  const markdown = await world.run(['doctor', file, '--markdown'])
  expect(markdown.code).toBe(8)
  expect(markdown.stdout).toContain(`### ${rule}`)
  const table = await world.run(['doctor', file, '--fail-on', 'never'], {
    env: { FORCE_COLOR: '1' },
  })
  expect(table.code).toBe(0)
  expect(table.stdout).toContain('\u001b[')
  const plain = await world.run(['doctor', file, '--fail-on', 'never'])
  expect(plain.stdout).toContain(rule)
  expect(plain.stdout).not.toContain('\u001b')
  sandbox.faults.add({ name: 'prm', body: { resource: 'https://other.example' }, status: 200 })
  const broken = await world.json(['doctor', sandbox.urls.api])
  expect(broken.exit).toBe(8)
  // Nobody was registered anywhere for it.
  expect(sandbox.ledger).toEqual([])
})

test('doctor stops at Ctrl-C', async () => {
  await using world = await openCli()
  const { sandbox } = world
  const fault = sandbox.faults.add({ name: '*', hold: 'before' })
  const running = world.start(['doctor', sandbox.urls.api, '--json'])
  await fault.whenHeld()
  running.kill('SIGINT')
  const { code, stdout } = await running.ended
  fault.remove()
  expect(code).toBe(130)
  expect(JSON.parse(stdout)).toMatchObject({ command: 'doctor', error: { code: 'stopped' } })
})

test('FORCE_COLOR colours what goes through a pipe, and never the object', async () => {
  await using world = await openCli()
  const args = ['show', 'cred_nothing']
  const env = { FORCE_COLOR: '1' }
  const [text, json, plain] = await Promise.all([
    world.run(args, { env }),
    world.run([...args, '--json'], { env }),
    world.run(args, { env: { FORCE_COLOR: '0' } }),
  ])
  expect(text.stderr).toContain('\u001b[31m')
  expect(JSON.parse(json.stdout)).toMatchObject({ exit: 1, error: { code: 'not_found' } })
  expect(json.stdout).not.toContain('\u001b')
  expect(plain.stderr).not.toContain('\u001b')
})

test('the sandbox runs until it is stopped', async () => {
  await using world = await openCli()
  const help = await world.run(['register', '--help'])
  expect(help.code).toBe(0)
  expect(help.stdout).toContain('Examples:')
  const terminal = world.terminal(['sandbox', '--port', '0'])
  await terminal.until('authmd discover --loopback http://api.telnyx.localhost:')
  terminal.type('\x03')
  expect(await terminal.ended).toBe(0)
})

test('mcp speaks the protocol on standard output and nothing else', async () => {
  await using world = await openCli()
  const send = (message: object) => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 't', version: '1' },
  }
  const input =
    send({ id: 1, method: 'initialize', params }) +
    send({ method: 'notifications/initialized' }) +
    send({ id: 2, method: 'tools/list' })
  const { code, stdout } = await world.run(['mcp'], { input })
  const answers = stdout
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text))
  expect(answers.map(({ id }) => id)).toEqual([1, 2])
  expect(answers[1].result.tools).toHaveLength(5)
  expect(code).toBe(0)
})
