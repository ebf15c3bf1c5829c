import { spawn, spawnSync } from 'node:child_process'
import { PassThrough } from 'node:stream'
import { canary } from '@authmd/canary'
import { encode } from 'uqr'
import { afterEach, expect, test } from 'vitest'
import { type PersonPrompt, promptPerson } from '../src/node/index.ts'
import type { Outcome } from '../src/outcome.ts'
import { waitingForCode } from './coded.ts'
import { makeKey, waitingForKey } from './intake-world.ts'
import { key, vendor } from './prose-vendor.ts'
import { closeWorlds, email, expectStatus, openWorld, signedUp } from './world.ts'

afterEach(closeWorlds)

/** A terminal as far as Node sees one: what is written to it, and when it echoes. */
function terminal() {
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    raw: false,
    setRawMode(raw: boolean) {
      this.raw = raw
    },
  })
  const output = new PassThrough()
  let shown = ''
  output.on('data', (chunk) => {
    shown += String(chunk)
  })
  const until = async (text: string, times = 1) => {
    while (shown.split(text).length <= times) await new Promise((next) => setTimeout(next, 5))
  }
  return { input, output, until, shown: () => shown }
}

async function asking() {
  const world = await openWorld()
  const { session, sandbox, auth } = world
  const id = await waitingForKey(session, sandbox.urls.api)
  const { need } = expectStatus(await session.claim({ registration: id }), 'needs_person')
  const screen = terminal()
  const outcome = promptPerson(auth, { id, service: sandbox.urls.api, need }, screen)
  outcome.catch(() => {})
  await screen.until('not shown')
  return { ...world, id, screen, outcome }
}

test('a key is asked for without being shown, and kept', async () => {
  const world = await asking()
  const { screen, outcome, session, sandbox } = world
  expect(screen.shown()).toContain(`only under ${sandbox.urls.api}/v2`)
  expect(screen.shown()).toContain(`Page: ${sandbox.urls.portal}/#/app/api-keys`)
  expect(screen.input.raw).toBe(true)
  const key = await makeKey(world)
  screen.input.write(`${key}\r`)
  expectStatus(await outcome, 'ready')
  expect(screen.input.raw).toBe(false)
  expect(screen.shown()).not.toContain(key)
  expect(await session.list()).toHaveLength(1)
})

test('what is wrong is said and asked again, until it is right', async () => {
  const world = await asking()
  const { screen, outcome } = world
  const wrong = ['kim@operator.test', '', 'KEY00123456789MADEUP0123456789MADEUP']
  for (const [at, text] of wrong.entries()) {
    screen.input.write(`${text}\r`)
    await screen.until('not shown', at + 2)
  }
  expect(screen.shown()).toContain('it is an e-mail address')
  expect(screen.shown()).toContain('not of the form asked for')
  expect(screen.shown()).toContain('does not accept this key (401)')
  for (const text of wrong.filter((one) => one !== '')) expect(screen.shown()).not.toContain(text)
  screen.input.write(`${await makeKey(world)}\n`)
  expectStatus(await outcome, 'ready')
})

test('keys that edit are obeyed, keys that move type nothing', async () => {
  const world = await asking()
  const { screen, outcome } = world
  const key = await makeKey(world)
  screen.input.write('rubbish\x15')
  screen.input.write(`${key.slice(0, 9)}xy\x7f\b\x1b[D\x1b`)
  screen.input.write(`[1;5C\x1bOA${key.slice(9)}\r`)
  expectStatus(await outcome, 'ready')
})

test('a line end within a paste is no Enter: a whole command is refused whole', async () => {
  const world = await asking()
  const { screen, outcome, sandbox } = world
  const requests = sandbox.log.length
  const key = await makeKey(world)
  screen.input.write(`\x1b[200~curl https://x.test \\\r -H "Authorization: Bearer ${key}"\r\x1b[20`)
  screen.input.write('1~\r')
  await screen.until('not shown', 2)
  expect(screen.shown()).toContain('it is a whole command')
  expect(sandbox.log.slice(requests).some(({ path }) => path.includes('phone_numbers'))).toBe(false)
  screen.input.write(`\x1b[200~\n${key}\r\n\x1b[201~\r`)
  expectStatus(await outcome, 'ready')
})

test.each([
  ['Ctrl-C', '\x03'],
  ['Ctrl-D', 'half a key\x04'],
])('%s gives up', async (_, keys) => {
  const { screen, outcome, session, id } = await asking()
  screen.input.write(keys)
  await expect(outcome).rejects.toMatchObject({ code: 'aborted' })
  expect(screen.input.raw).toBe(false)
  expectStatus(await session.claim({ registration: id }), 'needs_person')
})

test('so does the end of input', async () => {
  const { screen, outcome } = await asking()
  screen.input.end()
  await expect(outcome).rejects.toMatchObject({ code: 'aborted' })
})

test('without a terminal nothing is asked', async () => {
  const { auth, session, sandbox } = await openWorld()
  const id = await waitingForKey(session, sandbox.urls.api)
  const { need } = expectStatus(await session.claim({ registration: id }), 'needs_person')
  const piped = { input: new PassThrough(), output: new PassThrough() }
  await expect(promptPerson(auth, { id, need }, piped)).rejects.toMatchObject({
    code: 'invalid_input',
  })
})

test('a link is hidden, an address is not', async () => {
  const world = await openWorld({ identity: () => ({}) })
  const { auth, session, sandbox } = world
  const asked = await session.register({ service: sandbox.urls.api })
  const { registration: id = '', need } = expectStatus(asked, 'needs_person')
  const screen = terminal()
  const outcome = promptPerson(auth, { id, need }, screen)
  await screen.until('Mail address: ')
  screen.input.write('kim\r')
  await screen.until('Mail address: ', 2)
  screen.input.write(`${email}\r`)
  expectStatus(await outcome, 'needs_answer')
  expect(screen.shown()).toContain(email)

  const other = await openWorld({ identity: () => ({ email }) })
  const signed = await signedUp(other)
  const mail = expectStatus(signed.outcome, 'needs_person')
  const second = terminal()
  const prompt = { id: signed.registration, need: mail.need }
  const done = promptPerson(other.auth, prompt, second)
  await second.until('not shown')
  const [message] = other.sandbox.mail.list(email)
  const link = /href="([^"]*bot_sessions[^"]*)"/.exec(message?.html ?? '')?.[1] ?? ''
  second.input.write(`${link}\r`)
  expectStatus(await done, 'ready')
  expect(second.shown()).not.toContain('token=')
})

test('what a service put into a text moves no cursor', async () => {
  const { auth, session, sandbox } = await openWorld()
  const id = await waitingForKey(session, sandbox.urls.api)
  const { need } = expectStatus(await session.claim({ registration: id }), 'needs_person')
  const screen = terminal()
  const prompt = { id, need: { ...need, text: 'a\x1b[2Jb\u202e' }, notice: '\x07c\r\nd' }
  const outcome = promptPerson(auth, prompt, screen)
  await screen.until('not shown')
  const said = screen.shown().replaceAll('\x1b[?2004h', '')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
  expect(said).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/)
  screen.input.write('\x03')
  await expect(outcome).rejects.toMatchObject({ code: 'aborted' })
})

test('a code is asked for until it is one, and until it is the right one', async () => {
  const { auth, asked, registration: id, service } = await waitingForCode('read')
  const screen = terminal()
  const outcome = promptPerson(auth, { id, need: asked.need }, screen)
  const wrong = ['', '02811', '028117 or 028118', '028118']
  for (const [at, text] of wrong.entries()) {
    await screen.until('Code from the page: ', at + 1)
    screen.input.write(`${text}\r`)
  }
  await screen.until('does not know this code')
  screen.input.write(' 028\u2011117\r')
  expectStatus(await outcome, 'ready')
  for (const said of ['not of the form', 'this has 5', 'more than one', `${service.url}/claim`]) {
    expect(screen.shown()).toContain(said)
  }
  expect(service.sent).toEqual(['028118', '028117'])
})

test('a code to type at the service is shown, and the next one when there is another', async () => {
  const { auth, asked, registration: id, service } = await waitingForCode('enter')
  const screen = terminal()
  const outcome = promptPerson(auth, { id, need: { ...asked.need, code: '428117' } }, screen)
  await screen.until('Press Enter')
  expect(screen.shown()).toContain(`Page: ${service.url}/claim\nCode to type there: 428117\n`)
  screen.input.write('\r')
  await screen.until('Code to type there: 028117')
  await screen.until('Press Enter', 2)
  screen.input.write('\r')
  await screen.until('Press Enter', 3)
  expect(screen.shown().split('Code to type there')).toHaveLength(3)
  service.typed = true
  screen.input.write('\r')
  expectStatus(await outcome, 'ready')
})

test('what is done elsewhere meanwhile ends it with a word', async () => {
  const { screen, outcome, auth, id, ...world } = await asking()
  const elsewhere = await makeKey(world)
  const by = { approver: 'kim' }
  expectStatus((await auth.people.answer(id, { secret: elsewhere }, by)) as Outcome, 'ready')
  const late = await makeKey(world)
  screen.input.write(`${late}\r`)
  expect(await outcome).toBeUndefined()
  expect(screen.shown()).toContain('done elsewhere')
  expect(screen.shown()).not.toContain(late)
  expect(await world.session.list()).toHaveLength(1)
})

test('so does what a page did, for which Enter is pressed here', async () => {
  const { auth, asked, registration: id, service } = await waitingForCode('enter')
  const screen = terminal()
  const outcome = promptPerson(auth, { id, need: asked.need }, screen)
  await screen.until('Press Enter')
  service.typed = true
  await auth.people.answer(id, { done: true }, { approver: 'kim' })
  screen.input.write('\r')
  expect(await outcome).toBeUndefined()
  expect(screen.shown()).toContain('done elsewhere')
})

test('an id that never was is an error all the same', async () => {
  const { auth } = await openWorld()
  const screen = terminal()
  const need = { kind: 'open-link', text: 'Open it.' } as const
  const outcome = promptPerson(auth, { id: 'reg_x', need }, screen)
  await screen.until('Press Enter')
  screen.input.write('\r')
  await expect(outcome).rejects.toMatchObject({ code: 'not_found' })
})

test('what goes beside a key is asked for by its name, the hidden unseen, and again if it is wrong', async () => {
  const second = 'made-up-second-0123456789'
  const { auth, register } = await vendor(
    ['```', 'GET /v1/things', 'X-Api-Key: <key>', 'X-App-Id: <id>', 'X-App-Secret: <s>', '```'],
    (headers) =>
      headers['x-api-key'] === key &&
      headers['x-app-id'] === 'app-7' &&
      headers['x-app-secret'] === second,
  )
  canary.watch(second, 'the second key')
  const { registration: id = '', need } = expectStatus(await register(), 'needs_person')
  const screen = terminal()
  const outcome = promptPerson(auth, { id, need }, screen)
  for (const [at, appId] of ['app 7', 'app-8', 'app-7'].entries()) {
    await screen.until('API key (it is not shown)', at + 1)
    screen.input.write(`${key}\r`)
    await screen.until('Its x-app-id: ', at + 1)
    screen.input.write(`${appId}\r`)
    await screen.until('Its x-app-secret (it is not shown)', at + 1)
    expect(screen.input.raw).toBe(true)
    screen.input.write(`${second}\r`)
  }
  expectStatus(await outcome, 'ready')
  for (const said of ['cannot be the x-app-id', '401', 'app-7'])
    expect(screen.shown()).toContain(said)
  for (const hidden of [key, second]) expect(screen.shown()).not.toContain(hidden)
})

const url = 'https://portal.vendor.example/#/app/api-keys'

/** What the terminal shows before it asks. */
async function shownFor(need: Partial<PersonPrompt['need']>, columns: number | undefined) {
  const { auth } = await openWorld()
  const screen = terminal()
  if (columns) Object.assign(screen.output, { isTTY: true, columns })
  const prompt = { kind: 'paste-key', text: 'Make a key.', url, ...need } as const
  const outcome = promptPerson(auth, { id: 'reg_x', need: prompt }, screen)
  const asked = { 'open-link': 'Press Enter', 'enter-code': 'Press Enter', 'read-code': 'Code' }
  await screen.until(Object(asked)[need.kind ?? ''] ?? 'shown')
  screen.input.end()
  await expect(outcome).rejects.toMatchObject({ code: 'aborted' })
  return screen.shown()
}

/** The dark squares of the codes in a text, row by row, two to a character. */
function codesIn(shown: string): boolean[][] {
  const dark: Record<string, readonly [boolean, boolean]> = {
    '\u2588': [false, false],
    '\u2580': [false, true],
    '\u2584': [true, false],
    ' ': [true, true],
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours that each line begins with.
  return [...shown.matchAll(/\x1b\[97;40m(.*?)\x1b\[0m/g)].flatMap(([, line = '']) => {
    const pairs = [...line].map((one) => dark[one] ?? [])
    return [0, 1].map((half) => pairs.map((pair) => pair[half] ?? false))
  })
}

const opened = ['paste-key', 'open-link', 'enter-code', 'read-code'] as const
test.each(opened)('%s: the page is a code as well', async (kind) => {
  const { data, size } = encode(url, { border: 2 })
  const shown = await shownFor({ kind }, size)
  expect(shown).toContain(`Page: ${url}\n`)
  expect(codesIn(shown).slice(0, size)).toEqual(data)
})

test.each([
  ['that is no terminal', undefined, {}],
  ['that is too narrow', encode(url, { border: 2 }).size - 1, {}],
  ['for a page that is not what is to be opened', 200, { kind: 'open-mail' }],
  ['for an address of which a line shows a part', 200, { url: `${url}?${'x'.repeat(2_000)}` }],
  ['for a link in the text', 200, { url: undefined, text: `Not ${url}` }],
] as const)('no code on an output %s', async (_, columns, need) => {
  const shown = await shownFor(need as object, columns)
  expect(shown).toContain('portal.vendor.example')
  expect(codesIn(shown)).toEqual([])
})

const script = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? ''

test.skipIf(!script.includes('util-linux'))(
  'at a real terminal nothing of the key is shown',
  async () => {
    const world = await openWorld()
    const child = new URL('prompt-child.ts', import.meta.url).pathname
    const { execPath } = process
    const command = `'${execPath}' --conditions=@authmd/source '${child}' ${world.sandbox.urls.api}`
    const program = spawn('script', ['-qec', command, '/dev/null'])
    let shown = ''
    const key = await makeKey(world)
    program.stdout.on('data', (chunk) => {
      const before = shown
      shown += String(chunk)
      const asked = /not shown\): $/
      if (asked.test(shown) && !asked.test(before)) program.stdin.write(`${key}\r`)
    })
    const code = await new Promise((resolve) => program.on('close', resolve))
    expect(shown).toContain('came to ready')
    expect(shown).not.toContain(key)
    expect(code).toBe(0)
  },
)
