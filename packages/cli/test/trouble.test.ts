import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { noTerminal, openCli, type World } from './cli.ts'

const anonymous = { AUTHMD_EMAIL: undefined }

/** Registers at the sandbox's auth.md, with nobody's address. */
async function registered(world: World): Promise<string> {
  const { authMd: api } = world.sandbox.urls
  const { outcome } = await world.json(['register', api], { env: anonymous })
  const made = await world.json(['register', api, '--approve', outcome.action.digest], {
    env: anonymous,
  })
  expect(made).toMatchObject({ exit: 0 })
  return made.outcome.registration
}

test('a store that cannot be read is never said to be empty', async () => {
  await using world = await openCli()
  await registered(world)
  const [{ handle }] = (await world.json(['list'])).credentials
  const store = join(world.home, '.authmd')
  const files = readdirSync(store, { recursive: true, encoding: 'utf8' })
  const spoil = (kind: string) => {
    const of = files.filter((name) => name.includes(kind) && readFileSyncOrNot(join(store, name)))
    expect(of.length).toBeGreaterThan(0)
    for (const name of of) writeFileSync(join(store, name), 'made-up')
  }
  spoil('credential')
  const list = await world.json(['list'])
  expect(list).toMatchObject({ exit: 1, credentials: [], damaged: [{ id: handle }] })
  expect((await world.run(['list'])).stdout).toMatch(/1 of the records in the store cannot be read/)
  expect(await world.json(['show', handle])).toMatchObject({
    exit: 1,
    error: { message: expect.stringContaining('is there and cannot be read') },
  })
  spoil('registration')
  expect((await world.json(['list'])).damaged).toHaveLength(2)
})

function readFileSyncOrNot(path: string): boolean {
  try {
    return readFileSync(path).length > 0
  } catch {
    return false
  }
}

// Only root may become somebody else, and only Linux has the program for it.
const other = process.platform === 'linux' && process.getuid?.() === 0
test.skipIf(!other)('an account without a name is called by its number', async () => {
  await using world = await openCli()
  const dir = join(world.home, 'numbered')
  mkdirSync(dir)
  spawnSync('chown', ['12345', dir])
  spawnSync('chmod', ['711', world.home])
  const as = ['--reuid=12345', '--regid=12345', '--clear-groups']
  const [command = '', ...first] = world.program
  const { stdout, status } = spawnSync('setpriv', [...as, command, ...first, 'list', '--json'], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: dir, AUTHMD_KEY_FILE: join(dir, 'key') },
  })
  expect([status, JSON.parse(stdout).owner]).toEqual([0, { tenant: 'local', user: 'uid-12345' }])
})

test('the next command keeps the options that say which vault', async () => {
  await using world = await openCli()
  const { api } = world.sandbox.urls
  const options = ['--tenant', 'acme', '--user', "kim o'hara", '--store', join(world.home, 'other')]
  const made = await world.json([...options, 'register', api])
  const { registration } = made.outcome
  const same = `--tenant acme --user 'kim o'\\''hara' --store ${join(world.home, 'other')}`
  expect(made.next).toBe(`authmd ${same} claim ${registration} --answer "…"`)
  const { stdout } = await world.run([...options, 'register', api])
  expect(stdout).toContain(`Next: authmd ${same} claim ${registration}`)
  // What a terminal obeys is not written to it again.
  const odd = await world.run(['--tenant', 'a\u001b[31mb\nNext: x', 'list'])
  expect(odd.stdout).toMatch(/^Next: authmd --tenant '[ -~]+' discover URL$/m)
  expect(odd.stdout).not.toContain('\u001b')
  expect(odd.stdout).not.toMatch(/^Next: x/m)
  // As a shell takes it.
  const args = spawnSync('sh', ['-c', `printf '%s\\n' ${made.next}`], { encoding: 'utf8' }).stdout
  expect(args.split('\n').slice(1, -3)).toEqual([...options, 'claim', registration])
})

test('what is stopped is gone on with as it was begun', async () => {
  await using world = await openCli()
  const { api } = world.sandbox.urls
  const fault = world.sandbox.faults.add({ name: '*', hold: 'before' })
  const args = ['register', api, '--method', 'manual', '--email', 'kim@acme.test', '--json']
  const running = world.start(['--tenant', 'acme', ...args])
  await fault.whenHeld()
  running.kill('SIGINT')
  const { code, stdout } = await running.ended
  fault.remove()
  expect(code).toBe(130)
  expect(JSON.parse(stdout).next).toBe(
    `authmd --tenant acme register ${api} --method manual --email kim@acme.test`,
  )
})

test('an address is handed over by --email, and a wrong one is called that', async () => {
  await using world = await openCli()
  const id = await registered(world)
  const asked = await world.json(['claim', id], { env: anonymous })
  expect(asked).toMatchObject({ exit: 4, outcome: { need: { kind: 'give-email' } } })
  const wrong = await world.json(['claim', id, '--stdin'], { env: anonymous, input: 'no mail\n' })
  expect(wrong).toMatchObject({ exit: 2, error: { message: 'that is no mail address' } })
  const given = await world.json(['claim', id, '--email', 'kim@acme.test'], { env: anonymous })
  const digest = given.outcome.action?.digest
  const after = digest
    ? await world.json(['claim', id, '--email', 'kim@acme.test', '--approve', digest], {
        env: anonymous,
      })
    : given
  expect(after.outcome.need?.kind).not.toBe('give-email')
  expect(world.sandbox.log.some(({ body }) => body.includes('kim@acme.test'))).toBe(true)
})

test('what was not reached is a fault, what cannot be asked is usage, and neither is a refusal', async () => {
  await using world = await openCli()
  const service = 'http://127.0.0.1:1'
  const imported = await world.json(['import', service], { input: 'made-up-key-0006\n' })
  expect(imported.exit).toBe(0)
  expect(await world.json(['use', 'GET', `${service}/x`])).toMatchObject({
    exit: 1,
    outcome: { code: 'service_unreachable' },
  })
  for (const args of [
    ['BLAH', service],
    ['GET', service, '--data', '{}'],
    ['GET', service, '--header', 'x-foo: x'],
  ]) {
    expect(await world.json(['use', ...args])).toMatchObject({
      exit: 2,
      outcome: { code: 'request_refused' },
    })
  }
})

test('progress that nobody reads does not take the result with it', async () => {
  await using world = await openCli()
  const { api } = world.sandbox.urls
  const { stdout } = await world.shell(`authmd discover ${api} --json 2>/dev/full`)
  expect(JSON.parse(stdout)).toMatchObject({ command: 'discover', exit: 0 })
  expect(await world.shell('authmd list >/dev/full')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('cannot be written (ENOSPC)'),
  })
})

test('import takes its options in any order, and a service without https://', async () => {
  await using world = await openCli()
  const url = 'https://api.vendor.example'
  const two = ['--audience', `${url}/a`, '--audience', `${url}/b`]
  const imported = await world.json(['import', ...two, 'api.vendor.example'], {
    input: 'made-up-key-0007\n',
  })
  expect(imported).toMatchObject({ exit: 0, credential: { audience: [`${url}/a`, `${url}/b`] } })
  const alone = await world.json(['import', url, '--prefix', 'Key'], {
    input: 'made-up-key-0008\n',
  })
  expect(alone).toMatchObject({ exit: 2, error: { message: '--prefix is for --header' } })
})

test('an empty setting is none, and a path in the config is of the config', async () => {
  await using world = await openCli()
  const empty = { AUTHMD_STORE: '', AUTHMD_POLICY: '', AUTHMD_CONFIG: '' }
  expect(await world.json(['list'], { env: empty })).toMatchObject({ exit: 0 })
  expect(await world.json(['list', '--store', ''])).toMatchObject({ exit: 2 })
  expect(await world.json(['list'], { env: { AUTHMD_KEY_FILE: world.home } })).toMatchObject({
    exit: 1,
    error: { message: `this is no key file: ${world.home}` },
  })
  const dir = join(world.home, 'settings')
  mkdirSync(dir)
  const config = join(dir, 'config.json')
  writeFileSync(config, JSON.stringify({ store: './vault', keyFile: '~/my-key' }))
  expect(
    await world.json(['list', '--config', config], { env: { AUTHMD_KEY_FILE: undefined } }),
  ).toMatchObject({ exit: 0 })
  expect(readdirSync(dir).sort()).toEqual(['config.json', 'vault'])
  expect(readdirSync(world.home)).toContain('my-key')
})

test('a wrong call is said of the command that was meant', async () => {
  await using world = await openCli()
  expect(await world.json(['register'])).toMatchObject({ command: 'register', exit: 2 })
  expect(await world.json(['sandbox', '--port', '0', '--auth-md', 'v9'])).toMatchObject({
    exit: 2,
    error: { message: 'there is no auth.md version v9' },
  })
  const { api } = world.sandbox.urls
  expect(
    await world.json(['doctor', api, '--published-at', 'https://vendor.example/auth.md']),
  ).toMatchObject({ exit: 2 })
})

test('the doctor does not wait for what is no file', async () => {
  await using world = await openCli()
  const pipe = join(world.home, 'pipe.md')
  expect(spawnSync('mkfifo', [pipe]).status).toBe(0)
  expect(await world.json(['doctor', pipe])).toMatchObject({
    exit: 2,
    error: { message: `${pipe} is no file` },
  })
})

test.skipIf(noTerminal)('serve goes on when its store is away for a while', async () => {
  await using world = await openCli()
  const store = join(world.home, '.authmd')
  const serve = world.terminal(['serve'])
  await serve.until('/sign-in/')
  renameSync(store, `${store}-away`)
  writeFileSync(store, '')
  await serve.until('It is tried again')
  rmSync(store)
  renameSync(`${store}-away`, store)
  expect((await world.json(['list'])).exit).toBe(0)
  serve.type('\x03')
  expect(await serve.ended).toBe(0)
})
