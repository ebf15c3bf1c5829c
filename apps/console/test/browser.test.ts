import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { canary } from '@authmd/canary'
import { personAtPortal } from '@authmd/sandbox'
import axe, { type default as Axe } from 'axe-core'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { ConsolePerson } from '../src/index.ts'
import {
  expectStatus,
  importKey,
  kim,
  lee,
  makeKey,
  openWorld,
  type World,
  wantsKey,
  wantsToSignUp,
} from './world.ts'

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const skipped = !existsSync(executablePath) && process.env.CI !== 'true'
if (skipped) {
  console.warn(`No Chromium at ${executablePath}: the tests of the console are skipped.`)
}

// Pictures to look at, with TEST_SCREENS=1.
const screens = join(import.meta.dirname, '../.report/screens')
const [owner] = kim.owners as [(typeof kim.owners)[0]]
const minute = 60_000

describe.skipIf(skipped)('the console in a browser', { timeout: 120_000 }, () => {
  let browser: Browser

  beforeAll(async () => {
    const flags = `--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
      --disable-background-networking --disable-component-update`
    browser = await chromium.launch({ executablePath, args: flags.split(/\s+/) })
    shared = await browser.newContext({ reducedMotion: 'reduce' })
    shared.setDefaultTimeout(15_000)
    mkdirSync(screens, { recursive: true })
  }, 60_000)
  afterAll(() => browser?.close())

  let shared: BrowserContext

  /** A browser that is new to the console; every page that it is given is searched for secrets. */
  async function tab(own?: BrowserContextOptions) {
    // A new one costs a process: only where two are needed at once.
    const context = own === undefined ? shared : await browser.newContext(own)
    onTestFinished(async () => {
      if (own !== undefined) return context.close()
      await context.clearCookies()
      for (const page of context.pages()) await page.close()
    })
    const page = await context.newPage()
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('console', (line) => {
      const said = line.text()
      if (line.type() === 'error' && !said.startsWith('Failed to load')) faults.push(said)
    })
    page.on('response', async (response) => {
      if (response.headers()['content-type'] !== 'text/html; charset=utf-8') return
      canary.see('page of the console', await response.text().catch(() => ''))
    })
    return { page, faults, context }
  }

  async function signIn(
    world: World,
    person: ConsolePerson = kim,
    about?: string,
    own?: BrowserContextOptions,
  ) {
    const opened = await tab(own)
    const { url } = await world.console.link(person, about)
    await opened.page.goto(url)
    await opened.page.getByRole('button', { name: 'Sign in' }).click()
    await opened.page.getByRole('button', { name: 'Sign out' }).waitFor()
    return opened
  }

  const heading = (page: Page) => page.getByRole('heading', { level: 1 }).textContent()

  /** Light and dark, on a phone and at a desk; that nothing is too wide also where the phone is small. */
  async function check(page: Page, name: string): Promise<void> {
    await page.evaluate(axe.source)
    for (const width of [320, 390, 1280]) {
      await page.setViewportSize({ width, height: 800 })
      const { wide, tall } = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth - innerWidth,
        tall: [
          ...document.querySelectorAll('button, input:not([type=hidden]), select, .button'),
        ].map((one) => one.getBoundingClientRect().height),
      }))
      expect(wide, `${name} at ${width}`).toBeLessThanOrEqual(0)
      for (const height of tall) expect(height).toBeGreaterThanOrEqual(44)
      if (width === 320) continue
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        expect(await violations(page, colorScheme), `${name} at ${width}, ${colorScheme}`).toEqual(
          [],
        )
        if (!process.env.TEST_SCREENS) continue
        const path = join(screens, `${name}-${width}-${colorScheme}.png`)
        await page.screenshot({ path, fullPage: true })
      }
    }
  }

  function violations(page: Page, colorScheme: 'light' | 'dark') {
    return page.evaluate(async (dark) => {
      const { axe } = globalThis as unknown as { readonly axe: typeof Axe }
      const { violations } = await axe.run({
        resultTypes: ['violations'],
        // In the dark only colours differ.
        ...(dark ? { runOnly: ['color-contrast'] } : {}),
      })
      return violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])
    }, colorScheme === 'dark')
  }

  test('sign-in by a link that works once; sign-out leaves nothing behind', async () => {
    const world = await openWorld()
    const { page, faults, context } = await tab()
    expect((await page.goto(world.console.url))?.status()).toBe(401)
    await check(page, 'not-signed-in')
    const { url } = await world.console.link(kim)
    const secret = url.split('/').at(-1) ?? ''
    await page.goto(url)
    expect(page.url()).not.toContain(secret)
    expect(await page.getByRole('main').textContent()).toContain(kim.approver)
    await check(page, 'sign-in')
    const before = (await context.cookies()).map(({ value }) => value)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('Nothing waits for you').waitFor()
    await check(page, 'nothing-waits')
    const cookies = await context.cookies()
    expect(cookies.map(({ httpOnly, sameSite }) => [httpOnly, sameSite])).toEqual([
      [true, 'Strict'],
    ])
    expect(before).not.toContain(cookies[0]?.value)
    const other = await tab({})
    expect((await other.page.goto(url))?.status()).toBe(410)
    await check(other.page, 'link-gone')
    await page.getByRole('button', { name: 'Sign out' }).click()
    expect(await heading(page)).toBe('You are signed out')
    await check(page, 'signed-out')
    expect(await context.cookies()).toEqual([])
    await page.goBack()
    expect(await page.content()).not.toContain('Nothing waits for you')
    await context.addCookies(cookies)
    expect((await page.goto(world.console.url))?.status()).toBe(401)
    expect(faults).toEqual([])
  })

  test('an approval shows by itself, is exact, and is given by its button alone', async () => {
    const world = await openWorld()
    const { page, faults } = await signIn(world)
    const { consent, input } = await wantsToSignUp(world, owner)
    // Nobody loads the page again.
    await page.getByRole('heading', { name: /^May the agent do this/ }).waitFor()
    expect(await page.title()).toBe('(1) What waits for you')
    const lines = consent.action.summary.split('\n').slice(1)
    const items = page.getByRole('article').getByRole('listitem')
    expect((await items.allTextContents()).slice(0, lines.length)).toEqual(lines)
    const terms = consent.action.effects.flatMap((one) =>
      one.kind === 'accept-terms' ? one.texts.map(({ url }) => url) : [],
    )
    expect(terms.length).toBeGreaterThan(0)
    for (const url of terms) expect(await page.locator(`article a[href="${url}"]`).count()).toBe(1)
    await check(page, 'waiting')
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('To the content')
    await page.getByRole('link', { name: /^Decide/ }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Approve', exact: true }).waitFor()
    expect(await page.getByRole('main').textContent()).toContain('If you approve, the agent may')
    await check(page, 'approval')
    expectStatus(await world.auth.as(owner).register(input), 'needs_consent')
    await page.getByRole('button', { name: 'Approve', exact: true }).click()
    expect(await heading(page)).toBe('Approved')
    await check(page, 'approved')
    expect(expectStatus(await world.auth.as(owner).register(input), 'needs_person').need.kind).toBe(
      'open-mail',
    )
    await page.getByRole('link', { name: 'To what waits for you' }).click()
    await page.getByRole('link', { name: /^Go on/ }).click()
    await check(page, 'mail')
    expect(faults).toEqual([])
  })

  test('what is new shows also where it came while the page was asked for, or where that failed', async () => {
    const world = await openWorld({ identity: () => ({ email: 'kim@operator.test' }) })
    const { page, faults } = await signIn(world)
    let asked = 0
    await page.route(`${world.console.url}/`, async (route) => {
      if (route.request().headers()['x-authmd-live'] === undefined) return route.continue()
      asked++
      // The first is slow, and while it is under way something else comes to wait; the second fails.
      if (asked === 2) return route.fulfill({ status: 503, body: '' })
      const answer = await route.fetch()
      if (asked === 1) await wantsKey(world, owner)
      await route.fulfill({ response: answer })
    })
    await wantsToSignUp(world, owner)
    await page.getByRole('heading', { name: /^May the agent do this/ }).waitFor()
    await page.getByRole('article').nth(1).waitFor()
    expect(await page.title()).toBe('(2) What waits for you')
    expect(asked).toBeGreaterThan(2)
    expect(faults).toEqual([])
  })

  test('a denial: nothing is done, and a page that was left open decides nothing', async () => {
    const world = await openWorld()
    const { consent, input } = await wantsToSignUp(world, owner)
    const { page, context, faults } = await signIn(world, kim, consent.consent)
    const late = await context.newPage()
    // Who is signed in already is led on by a link, and what is open elsewhere goes on.
    const { url } = await world.console.link(kim, consent.consent)
    await late.goto(url)
    expect(late.url()).toBe(page.url())
    expect((await late.goto(url))?.status()).toBe(410)
    await late.goto(page.url())
    await page.getByRole('button', { name: 'Do not approve' }).click()
    expect(await heading(page)).toBe('Not approved')
    await check(page, 'denied')
    await late.getByRole('button', { name: 'Approve', exact: true }).click()
    expect(await heading(late)).toBe('This is not needed any more')
    await check(late, 'gone')
    const refused = { status: 'refused', code: 'consent_denied' }
    expect(await world.auth.as(owner).register(input)).toMatchObject(refused)
    expect(faults).toEqual([])
  })

  test('a key: a wrong paste is said and not shown, the right one is taken', async () => {
    const world = await openWorld()
    const registration = await wantsKey(world, owner)
    const { page, faults } = await signIn(world)
    await check(page, 'waiting-key')
    await page.getByRole('link', { name: /^Go on/ }).click()
    await check(page, 'key')
    const handOver = async (text: string) => {
      await page.getByLabel('API key').fill(text)
      await page.getByRole('button', { name: 'Hand over the key' }).click()
      await page.waitForLoadState()
    }
    for (const wrong of ['pat@operator.test', 'ghp_0123456789MADEUP0123456789MADEUP']) {
      await handOver(wrong)
      expect(await page.getByRole('alert').textContent()).toContain('Not taken')
      expect(await page.getByLabel('API key').inputValue()).toBe('')
      expect(await page.content()).not.toContain(wrong)
    }
    await check(page, 'wrong-key')
    expect(await world.auth.admin.list(owner)).toEqual([])
    await handOver(` "Bearer ${await makeKey(world)}"\n`)
    expect(await heading(page)).toBe('Thank you, that is all')
    await check(page, 'key-taken')
    expectStatus(await world.auth.as(owner).claim({ registration }), 'ready')
    expect(faults).toEqual([])
  })

  test('pages that say what went wrong: what is not there, a strange form, a session that ended', async () => {
    const world = await openWorld()
    await wantsKey(world, owner)
    const { page, context } = await signIn(world)
    await page.getByRole('link', { name: /^Go on/ }).click()
    const form = page.url()
    expect((await page.goto(`${world.console.url}/nothing`))?.status()).toBe(404)
    await check(page, 'unknown')
    await page.goto(form)
    await page.locator('main input[name=form]').evaluate((one) => one.setAttribute('value', 'x'))
    await page.getByLabel('API key').fill('KEY0OF0NO0SERVICE0001')
    await page.getByRole('button', { name: 'Hand over the key' }).click()
    expect(await heading(page)).toBe('This form came from somewhere else')
    await check(page, 'foreign')
    await page.goto(form)
    const other = await context.newPage()
    await other.goto(world.console.url)
    await other.getByRole('button', { name: 'Sign out' }).click()
    expect(await heading(other)).toBe('You are signed out')
    await page.getByLabel('API key').fill('KEY0OF0NO0SERVICE0001')
    await page.getByRole('button', { name: 'Hand over the key' }).click()
    expect(await heading(page)).toBe('You are not signed in any more')
    await check(page, 'out-meanwhile')
  })

  test('a link and a session that have expired', async () => {
    const world = await openWorld()
    const late = await tab()
    const { url } = await world.console.link(kim)
    world.sandbox.clock.advance(11 * minute)
    expect((await late.page.goto(url))?.status()).toBe(410)
    const { page } = await signIn(world)
    world.sandbox.clock.advance(16 * minute)
    // It is locked without anybody touching it.
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor()
  })

  test('credentials by service: age, last use, where each goes; one is revoked', async () => {
    const world = await openWorld()
    const session = world.auth.as(owner)
    const registration = await wantsKey(world, owner)
    await world.auth.people.answer(
      registration,
      { secret: await makeKey(world) },
      { approver: 'kim' },
    )
    const { credential } = expectStatus(await session.claim({ registration }), 'ready')
    const other = 'https://api.vendor.example'
    const secret = 'KEY0VENDOR0IMPORTED0001'
    canary.watch(secret, 'an imported key')
    const imported = await session.import({ service: other, audience: `${other}/v1`, secret })
    world.sandbox.clock.advance(3 * 60 * minute)
    await session.use({ credential: credential.handle, path: '/v2/balance' })
    const { page, faults } = await signIn(world)
    await page.getByRole('link', { name: 'Credentials' }).click()
    const card = page.getByRole('article').filter({ hasText: credential.handle })
    const text = await card.textContent()
    for (const shown of ['3 hours ago', 'just now', ...credential.audience, 'in use']) {
      expect(text).toContain(shown)
    }
    const hosts = [new URL(world.api).host, 'api.vendor.example'].sort()
    expect(await page.getByRole('heading', { level: 3 }).allTextContents()).toEqual(hosts)
    await check(page, 'credentials')
    await card.getByRole('link', { name: /^Revoke/ }).click()
    await check(page, 'revoke')
    await page.getByRole('button', { name: 'Revoke it' }).click()
    expect(await heading(page)).toBe('One thing is left to you')
    await check(page, 'revoking')
    expect(await session.use({ credential: credential.handle, path: '/v2/balance' })).toMatchObject(
      {
        status: 'refused',
      },
    )
    await page.getByRole('button', { name: 'I have done it' }).click()
    expect(await page.getByRole('main').textContent()).toContain('It still works')
    await personAtPortal(world.sandbox, 'kim@operator.test').deleteKeys()
    await page.getByRole('button', { name: 'I have done it' }).click()
    expect(await heading(page)).toBe('Revoked')
    await check(page, 'revoked')
    const states = await world.auth.admin.list(owner)
    expect(states.map(({ handle, state }) => [handle, state])).toEqual(
      expect.arrayContaining([
        [credential.handle, 'revoked'],
        [imported.handle, 'active'],
      ]),
    )
    await page.getByRole('link', { name: 'Back to the credentials' }).click()
    await page.getByText('1 ended').click()
    expect(await page.getByRole('group').textContent()).toContain(credential.handle)
    await check(page, 'credentials-ended')
    expect(faults).toEqual([])
  })

  test('history: who decided what, by kind, by words and by day', async () => {
    const world = await openWorld()
    const { consent, input } = await wantsToSignUp(world, owner)
    const { handle } = await importKey(world, owner, 'KEY0SANDBOX0IMPORTED0001')
    await world.auth.share({ owner, handle }, { tenant: 'acme', user: 'lee' }, { verbs: ['use'] })
    const { page, faults } = await signIn(world, kim, consent.consent)
    await page.getByRole('button', { name: 'Approve', exact: true }).click()
    await world.auth.as(owner).register(input)
    await page.getByRole('link', { name: 'History' }).click()
    const items = page.locator('.history > li')
    const all = await items.count()
    expect(await items.filter({ hasText: 'kim@operator.test approved: register' }).count()).toBe(1)
    expect(await items.filter({ hasText: 'was shared with acme, user lee, to use' }).count()).toBe(
      1,
    )
    await check(page, 'history')
    await page.getByLabel('What').selectOption({ label: 'Decisions' })
    await page.getByRole('button', { name: 'Show' }).click()
    const decisions = await items.count()
    expect(decisions).toBeGreaterThan(0)
    expect(decisions).toBeLessThan(all)
    await page.getByLabel('Service, credential or person').fill('nowhere.example')
    await page.getByRole('button', { name: 'Show' }).click()
    expect(await items.count()).toBe(0)
    await page.goto(`${world.console.url}/history?from=2000-01-01&to=2000-01-02`)
    expect(await items.count()).toBe(0)
    await check(page, 'history-none')
    await page.goto(`${world.console.url}/history?kind=nonsense&skip=-1&from=x`)
    expect(await items.count()).toBe(all)
    expect(faults).toEqual([])
  })

  test('two people at once see and decide their own things alone', async () => {
    const world = await openWorld()
    const [other] = lee.owners as [(typeof lee.owners)[0]]
    const mine = await wantsToSignUp(world, owner)
    const { handle } = await importKey(world, other, 'KEY0SANDBOX0OF0LEE0001')
    const a = await signIn(world)
    const b = await signIn(world, lee, undefined, {})
    expect(await b.page.getByRole('article').count()).toBe(0)
    expect(await b.page.content()).not.toContain('kim')
    await a.page.getByRole('link', { name: /^Decide/ }).click()
    const address = a.page.url()
    expect((await b.page.goto(address))?.status()).toBe(404)
    await b.page.goto(`${world.console.url}/credentials`)
    expect(await b.page.getByRole('article').textContent()).toContain(handle)
    const revoke = await b.page.getByRole('link', { name: /^Revoke/ }).getAttribute('href')
    expect((await a.page.goto(`${world.console.url}${revoke}`))?.status()).toBe(404)
    await a.page.goto(`${world.console.url}/credentials`)
    expect(await a.page.getByRole('article').count()).toBe(0)
    await b.page.goto(`${world.console.url}/history`)
    expect(await b.page.locator('.history').textContent()).toContain(handle)
    expect(await b.page.content()).not.toContain(mine.input.registration)
    // What one decides shows with the other person who has the same owner, and with nobody else.
    const c = await signIn(world, { ...kim, approver: 'boss@operator.test' }, undefined, {})
    await a.page.goto(address)
    await a.page.getByRole('button', { name: 'Approve', exact: true }).click()
    await c.page.getByText('Nothing waits for you').waitFor()
    expectStatus(await world.auth.as(owner).register(mine.input), 'needs_person')
  })

  test('an operator with several owners: each thing says whose it is', async () => {
    const world = await openWorld()
    const owners = [...kim.owners, ...lee.owners]
    for (const one of owners) await wantsKey(world, one)
    const { page, faults } = await signIn(world, { approver: 'ops@operator.test', owners })
    const whose = page.getByRole('article').getByText(/^For /)
    expect(await whose.allTextContents()).toEqual(['For acme, user kim', 'For acme, user lee'])
    await check(page, 'several-owners')
    await page.getByRole('link', { name: 'Credentials' }).click()
    expect(await page.getByRole('heading', { level: 2 }).allTextContents()).toEqual([
      'acme, user kim',
      'acme, user lee',
    ])
    expect(faults).toEqual([])
  })

  test('without a script all of it works by loading pages', async () => {
    const world = await openWorld()
    const { consent, input } = await wantsToSignUp(world, owner)
    const { page } = await tab({ javaScriptEnabled: false })
    await page.goto((await world.console.link(kim)).url)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('link', { name: /^Decide/ }).click()
    await page.getByRole('button', { name: 'Approve', exact: true }).click()
    expect(await heading(page)).toBe('Approved')
    expect(consent.consent).toMatch(/^cns_/)
    expectStatus(await world.auth.as(owner).register(input), 'needs_person')
  })
})
