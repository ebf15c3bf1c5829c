import { expect, test } from 'vitest'
import { email, mailedLink, noTerminal, openCli, portal, solution } from './cli.ts'

test.skipIf(noTerminal)(
  'at a terminal: signed up, used and given up, each question answered by the person',
  async () => {
    await using world = await openCli()
    const { api } = world.sandbox.urls
    const signup = world.terminal(['register', api])
    const puzzle = await signup.until('Answer (')
    signup.type(`${solution(world, puzzle)}\r`)
    const asked = await signup.until('(y/N) ')
    expect(asked).toContain(`Accept on your behalf: the terms`)
    expect(asked).toContain(email)
    signup.type('y\r')
    await signup.until('it is not shown')
    signup.type(`${await mailedLink(world)}\r`)
    await signup.until('Held in the vault: cred_')
    expect(await signup.ended).toBe(0)
    console.log(signup.shown())
    const handle = /cred_[\w-]+/.exec(signup.shown())?.[0] ?? ''

    const used = world.terminal(['use', 'GET', `${api}/v2/balance`])
    expect(await used.ended).toBe(0)
    console.log(used.shown())
    const shown = await world.run(['list'])
    console.log(shown)
    console.log(await world.run(['show', handle]))
    const revoke = world.terminal(['revoke', handle])
    await revoke.until('(y/N) ')
    revoke.type('y\r')
    await revoke.until('Press Enter')
    revoke.type('\r')
    await revoke.until('It still works')
    await revoke.until('Press Enter')
    await portal(world).deleteKeys()
    revoke.type('\r')
    await revoke.until('is refused now')
    console.log(revoke.shown())
    expect(await revoke.ended).toBe(0)
  },
  120_000,
)
