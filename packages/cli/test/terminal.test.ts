import { expect, test, vi } from 'vitest'
import {
  email,
  mailedLink,
  noTerminal,
  openCli,
  portal,
  solution,
  type Terminal,
  type World,
} from './cli.ts'

/** Signs up at the sandbox's Telnyx up to the question that `last` begins. */
async function signUp(world: World): Promise<Terminal> {
  const signup = world.terminal(['register', world.sandbox.urls.api])
  const puzzle = await signup.until('Answer (')
  signup.type(`${solution(world, puzzle)}\r`)
  const asked = await signup.until('(y/N) ')
  expect(asked).toContain('Accept on your behalf: the terms')
  expect(asked).toContain(email)
  return signup
}

/** Opens a sign-in link as a browser does, and signs in: the page to which it leads. */
async function signIn(link: string) {
  const { origin } = new URL(link)
  const cookies = new Map<string, string>()
  const send = async (path: string, body?: URLSearchParams): Promise<Response> => {
    const response = await fetch(new URL(path, origin), {
      ...(body ? { method: 'POST', body } : {}),
      headers: { origin, cookie: [...cookies].map((one) => one.join('=')).join('; ') },
      redirect: 'manual',
    })
    for (const one of response.headers.getSetCookie()) {
      const [name = '', value = ''] = one.split(';', 1)[0]?.split('=') ?? []
      cookies.set(name, value)
    }
    return response
  }
  const get = async (path: string) => (await send(path)).text()
  await send(link)
  const [, form = ''] = /name="form" value="([^"]+)"/.exec(await get('/sign-in')) ?? []
  const signedIn = await send('/sign-in', new URLSearchParams({ form }))
  return { get, page: await get(signedIn.headers.get('location') ?? '') }
}

const created = ({ sandbox }: World) =>
  sandbox.log.filter(({ effect, status = 0 }) => effect && status < 400).map(({ name }) => name)

test.skipIf(noTerminal)(
  'signed up, used and given up, each question answered by the person',
  async () => {
    await using world = await openCli()
    const { api } = world.sandbox.urls
    const signup = await signUp(world)
    expect(created(world)).toEqual([])
    signup.type('y\r')
    await signup.until('it is not shown')
    signup.type(`${await mailedLink(world)}\r`)
    await signup.until('Held in the vault: cred_')
    expect(await signup.ended).toBe(0)
    const handle = /cred_[\w-]+/.exec(signup.shown())?.[0] ?? ''

    const used = world.terminal(['use', 'GET', `${api}/v2/balance`])
    expect(await used.ended).toBe(0)
    expect(used.shown()).toContain('"record_type":"balance"')

    const revoke = world.terminal(['revoke', handle])
    await revoke.until('(y/N) ')
    revoke.type('y\r')
    const page = await revoke.until('Press Enter')
    // The page as a code for a phone: half blocks, two rows of squares to a line.
    expect(page).toMatch(/█ ▄▄▄▄▄ █/)
    revoke.type('\r')
    await revoke.until('It still works')
    await revoke.until('Press Enter')
    await portal(world).deleteKeys()
    revoke.type('\r')
    await revoke.until('is refused now')
    expect(await revoke.ended).toBe(0)
  },
)

test.skipIf(noTerminal)('a no is a no, and nothing was made', async () => {
  await using world = await openCli()
  const signup = await signUp(world)
  // Enter alone is no yes.
  signup.type('\r')
  await signup.until('consent_denied')
  await signup.until('the same command after that time')
  expect(await signup.ended).toBe(3)
  expect(signup.shown()).toMatch(/authmd revoke reg_\S+\s+gives it up/)
  expect(created(world)).toEqual([])
})

test.skipIf(noTerminal)(
  'Ctrl-C at a question, at a hidden one and at work: each time it can be gone on with',
  async () => {
    await using world = await openCli()
    const { api } = world.sandbox.urls
    const first = world.terminal(['register', api])
    await first.until('Answer (')
    first.type('\x03')
    expect(await first.ended).toBe(130)
    const [, id = ''] = /Go on with: authmd claim (reg_[\w-]+)/.exec(first.shown()) ?? []
    expect(id).not.toBe('')

    // The same service again goes on with the same registration.
    const second = await signUp(world)
    second.type('y\r')
    await second.until('it is not shown')
    second.type('\x03')
    expect(await second.ended).toBe(130)
    expect(second.shown()).toContain(`Go on with: authmd claim ${id}`)

    // While a request is under way, which the service does not answer.
    const fault = world.sandbox.faults.add({ name: 'api_keys', hold: 'after', times: 1 })
    const third = world.terminal(['claim', id])
    await third.until('it is not shown')
    third.type(`${await mailedLink(world)}\r`)
    await fault.whenHeld()
    third.type('\x03')
    expect(await third.ended).toBe(130)
    expect(third.shown()).toContain(`Go on with: authmd claim ${id}`)
    fault.release()

    const after = await world.json(['claim', id])
    // The key may exist and nobody holds it: said, and not made again.
    expect(after).toMatchObject({ exit: 6, outcome: { status: 'uncertain', registration: id } })
    expect(created(world).filter((name) => name === 'api_keys')).toHaveLength(1)
  },
)

test.skipIf(noTerminal)(
  'a key is pasted without being shown, and revealed only after a yes',
  async () => {
    await using world = await openCli()
    const key = 'made-up-key-of-nobody-0001'
    const url = 'https://api.vendor.example'
    const pasted = world.terminal(['import', url])
    await pasted.until('it is not shown')
    pasted.type(`${key}\r`)
    await pasted.until('The key is in the vault')
    expect(await pasted.ended).toBe(0)
    expect(pasted.shown()).not.toContain(key)
    const handle = /cred_[\w-]+/.exec(pasted.shown())?.[0] ?? ''

    const no = world.terminal(['show', handle, '--reveal'])
    await no.until('(y/N) ')
    no.type('\r')
    expect(await no.ended).toBe(3)
    expect(no.shown()).not.toContain(key)

    const yes = world.terminal(['show', handle, '--reveal'])
    await yes.until('(y/N) ')
    yes.type('y\r')
    expect(await yes.ended).toBe(0)
    expect(yes.shown()).toContain(key)
  },
)

// biome-ignore lint/suspicious/noControlCharactersInRegex: the colours are what is looked for.
const colours = /\x1b\[\d/
test.skipIf(noTerminal).each([
  ['by default', {}, true],
  ['NO_COLOR', { NO_COLOR: '1' }, false],
  ['TERM=dumb', { TERM: 'dumb' }, false],
])('colours at a terminal, %s', async (_, env, coloured) => {
  await using world = await openCli()
  const run = world.terminal(['show', 'cred_nothing'], { env })
  expect(await run.ended).toBe(1)
  expect(run.shown()).toContain('nothing of this owner is called cred_nothing')
  expect(colours.test(run.shown())).toBe(coloured)
})

test.skipIf(noTerminal)(
  'with --json at a terminal the questions are asked, and the last line is the object',
  async () => {
    await using world = await openCli()
    const signup = world.terminal(['register', world.sandbox.urls.api, '--json'])
    await signup.until('Answer (')
    signup.type('\x03')
    expect(await signup.ended).toBe(130)
    const last = signup.shown().trimEnd().split('\n').at(-1) ?? ''
    expect(JSON.parse(last)).toMatchObject({
      command: 'register',
      exit: 130,
      error: { code: 'stopped' },
      next: expect.stringMatching(/^authmd claim reg_/),
    })
  },
)

test.skipIf(noTerminal)(
  'serve: a sign-in link for what waits, which leads to the console; Ctrl-C ends it',
  async () => {
    await using world = await openCli()
    const { api } = world.sandbox.urls
    const puzzle = await world.json(['register', api])
    const { registration, problem } = puzzle.outcome
    const answer = ['claim', registration, '--answer', world.sandbox.answerTo(problem) ?? '']
    expect((await world.json(answer)).exit).toBe(4)
    const serve = world.terminal(['serve'])
    await serve.until('Accept on your behalf')
    const links = () => serve.shown().match(/http:\/\/127\.0\.0\.1:\d+\/sign-in\/[\w-]{43}/g) ?? []
    await vi.waitUntil(() => links().length === 2, 60_000)
    // Enter makes another one.
    serve.type('\r')
    await serve.until('/sign-in/')
    expect(new Set(links()).size).toBe(3)
    const browser = await signIn(links()[1] ?? '')
    expect(browser.page).toContain('Accept on your behalf')
    expect(browser.page).toContain('value="approve"')
    // What other runs of the program did is in the history.
    const history = await browser.get('/history')
    expect(history).toContain('needs consent')
    expect(history).toContain(registration)
    serve.type('\x03')
    expect(await serve.ended).toBe(0)
  },
)
