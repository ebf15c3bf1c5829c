import { get } from 'node:http'
import { signInLink } from '@authmd/sandbox'
import { afterEach, expect, test } from 'vitest'
import type { PersonRequest } from '../src/people/people.ts'
import {
  closeWorlds,
  done,
  email,
  expectStatus,
  keysOf,
  openWorld,
  sent,
  signedUp,
  type World,
} from './world.ts'

afterEach(closeWorlds)

const minute = 60_000
const kim = { approver: 'kim' }
const byPerson = { identity: () => ({ email }) }

function mailedLink({ sandbox }: World): string {
  const mail = sandbox.mail.list(email).at(-1)
  if (mail === undefined) throw new Error('no mail')
  return signInLink(mail)
}

function handOver({ auth }: World, registration: string, link: string) {
  return auth.people.answer(registration, { link }, kim)
}

test('the link is read from HTML, with its ampersands decoded, and asked for once in its turn', async () => {
  const world = await openWorld()
  const { registration, outcome } = await signedUp(world)
  expectStatus(outcome, 'pending')
  expect(sent(world, 'bot_sessions')).toBe(0)
  await world.session.preview('claim', { registration })
  expect(sent(world, 'bot_sessions')).toBe(0)
  expectStatus(await world.session.claim({ registration }), 'ready')
  expectStatus(await world.session.claim({ registration }), 'ready')
  const requests = world.sandbox.log.filter(({ name }) => name === 'bot_sessions')
  expect(requests.map(({ path }) => path)).toEqual([
    expect.stringMatching(/^\/v2\/bot_sessions\?source=bot_signup&token=[\w-]+$/),
  ])
})

function decoysOf({ sandbox }: World): string[] {
  const { api, portal } = sandbox.urls
  return [
    `${portal}/#/login/sign-in`,
    `${api.replace('telnyx', 'evil')}/v2/bot_sessions?token=t`,
    `${api.replace(/\d+$/, '1')}/v2/bot_sessions?token=t`,
    `${api}/v2/bot_sessions`,
    `${api}/v2/bot_sessions/../api_keys?token=t`,
    `${api.replace('//', '//user@')}/v2/bot_sessions?token=t`,
  ]
}

test('a footer link, a mail from before and one of another domain are no sign-in links', async () => {
  const world = await openWorld({
    identity: () => ({
      mailbox: {
        address: email,
        list: async ({ since }) => [
          ...decoysOf(world).map((link, at) => {
            const html = `<a href="${link}">Sign in</a>`
            return { id: `d${at}`, from: 'x', subject: 'x', receivedAt: since + 9_999, html }
          }),
          {
            id: 'old',
            from: 'x',
            subject: 'x',
            receivedAt: since - 1,
            text: `${world.sandbox.urls.api}/v2/bot_sessions?token=old`,
          },
        ],
      },
    }),
  })
  const { registration } = await signedUp(world)
  expectStatus(await world.session.claim({ registration }), 'pending')
  expect(sent(world, 'bot_sessions')).toBe(0)
})

test('a mail stamped in whole seconds is not taken for an earlier one', async () => {
  const world = await openWorld({
    identity: () => ({
      mailbox: {
        address: email,
        list: async ({ to }) =>
          world.sandbox.mail.list(to).map((mail) => {
            return { ...mail, receivedAt: Math.floor(mail.receivedAt / 1000) * 1000 }
          }),
      },
    }),
  })
  const { registration } = await signedUp(world)
  expectStatus(await world.session.claim({ registration }), 'ready')
})

test('a person hands the link over outside the chat', async () => {
  const world = await openWorld(byPerson)
  const { registration, outcome } = await signedUp(world)
  const { need } = expectStatus(outcome, 'needs_person')
  expect(need).toMatchObject({ kind: 'open-mail', email })
  expect(need.text).toContain('Do not open the link')
  const link = mailedLink(world)
  // As copied from the source of the mail.
  const ready = await handOver(world, registration, ` ${link.replaceAll('&', '&amp;')}\n`)
  expect(ready).toMatchObject({ status: 'ready' })
  expect(sent(world, 'bot_sessions')).toBe(1)
})

test('what is no sign-in link is not sent anywhere, and the person is told what is wanted', async () => {
  const world = await openWorld(byPerson)
  const { registration } = await signedUp(world)
  const before = world.sandbox.log.length
  for (const link of [...decoysOf(world), 'javascript:alert(1)', 'the mail has not come']) {
    const told = await handOver(world, registration, link)
    expect(told, link).toMatchObject({ status: 'needs_person' })
    const { notice } = told as { notice?: string }
    expect(notice).toContain(`${world.sandbox.urls.api}/v2/bot_sessions?`)
    expect(world.sandbox.log.length).toBe(before)
  }
  const ready = await handOver(world, registration, mailedLink(world))
  expect(ready).toMatchObject({ status: 'ready' })
})

test('a link that was used already brings another mail, after the minute that the service asks for', async () => {
  const told: PersonRequest[] = []
  const world = await openWorld({ ...byPerson, onPersonNeeded: (one) => void told.push(one) })
  const { registration } = await signedUp(world)
  const link = mailedLink(world)
  await fetchOnce(world, link)
  const later = await handOver(world, registration, link)
  expect(later).toMatchObject({ status: 'pending' })
  const { notBefore } = later as { notBefore: number }
  world.sandbox.clock.advance(notBefore - world.sandbox.clock.now() - 5_000)
  expectStatus(await world.session.claim({ registration }), 'pending')
  expect(sent(world, 'resend_magic_link')).toBe(0)
  world.sandbox.clock.advance(5_000)
  expectStatus(await world.session.claim({ registration }), 'needs_person')
  expect(done(world, 'resend_magic_link')).toBe(1)
  expect(told.map((one) => one.kind)).toEqual(['consent', 'need', 'need'])
  const ready = await handOver(world, registration, mailedLink(world))
  expect(ready).toMatchObject({ status: 'ready' })
  expect(keysOf(world)).toHaveLength(1)
})

/** Somebody else, such as a mail scanner, is faster. */
async function fetchOnce(world: World, link: string): Promise<void> {
  world.sandbox.faults.add({ name: 'bot_sessions', times: 1, status: 401, when: 'after' })
  const url = new URL(link)
  await new Promise<void>((resolve, reject) => {
    const path = `${url.pathname}${url.search}`
    const at = { host: '127.0.0.1', port: url.port, path, headers: { host: url.host } }
    get(at, (answer) => answer.resume().on('end', resolve)).on('error', reject)
  })
}

test('a link handed over too late brings another mail at once, and the person is told', async () => {
  const told: PersonRequest[] = []
  const world = await openWorld({ ...byPerson, onPersonNeeded: (one) => void told.push(one) })
  const { registration } = await signedUp(world)
  const link = mailedLink(world)
  world.sandbox.clock.advance(16 * minute)
  const next = await handOver(world, registration, link)
  expect(next).toMatchObject({ status: 'needs_person' })
  expect(told.map(({ kind }) => kind)).toEqual(['consent', 'need', 'need'])
  expect(done(world, 'resend_magic_link')).toBe(1)
  const ready = await handOver(world, registration, mailedLink(world))
  expect(ready).toMatchObject({ status: 'ready' })
})

test('mail that never comes is asked for three more times, then it is said why it ended', async () => {
  const nobody = { address: email, list: async () => [] }
  const world = await openWorld({ identity: () => ({ mailbox: nobody }) })
  const { registration } = await signedUp(world)
  for (let resends = 1; resends <= 3; resends++) {
    world.sandbox.clock.advance(15 * minute)
    expectStatus(await world.session.claim({ registration }), 'pending')
    expect(done(world, 'resend_magic_link')).toBe(resends)
  }
  world.sandbox.clock.advance(15 * minute)
  const ended = expectStatus(await world.session.claim({ registration }), 'refused')
  expect(ended).toMatchObject({ code: 'service_refused' })
  expect(ended.reason).toContain('No mail came in time. The service sends no more links')
  expect(sent(world, 'resend_magic_link')).toBe(3)
  const all = expectStatus(await world.session.discover(), 'found')
  expect(all.registrations).toMatchObject([{ orphans: [{ request: 'bot_signup' }] }])
})

test('a limit on mails is waited for', async () => {
  const world = await openWorld(byPerson)
  const { registration } = await signedUp(world)
  world.sandbox.clock.advance(16 * minute)
  const headers = { 'retry-after': '120' }
  world.sandbox.faults.add({ name: 'resend_magic_link', status: 429, headers, times: 1 })
  const wait = expectStatus(await world.session.claim({ registration }), 'pending')
  expect(wait.notBefore).toBeGreaterThan(world.sandbox.clock.now() + 110_000)
  world.sandbox.clock.advance(2 * minute)
  expectStatus(await world.session.claim({ registration }), 'needs_person')
  expect(done(world, 'resend_magic_link')).toBe(1)
})

test('a mailbox that fails is an error that does not quote it, and spoils nothing', async () => {
  let broken = false
  const world = await openWorld({
    identity: () => ({
      mailbox: {
        address: email,
        list: async ({ to }) => {
          if (broken) throw new Error('LOGIN secret-word failed')
          return world.sandbox.mail.list(to)
        },
      },
    }),
  })
  const { registration } = await signedUp(world)
  broken = true
  const failure = await world.session.claim({ registration }).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'mailbox_failed' })
  expect(JSON.stringify(failure)).not.toContain('secret-word')
  broken = false
  expectStatus(await world.session.claim({ registration }), 'ready')
})
