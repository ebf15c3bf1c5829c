import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AxeBuilder } from '@axe-core/playwright'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { serveIntake } from '../src/node/intake-server.ts'
import { rightCode, waitingForCode } from './coded.ts'
import { makeKey, openIntake, visit } from './intake-world.ts'
import { askedFor, closeWorlds, expectStatus, openWorld } from './world.ts'

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const absent = !existsSync(executablePath)
if (absent && process.env.CI !== 'true') {
  console.warn(
    `No Chromium at ${executablePath}: the tests of the intake page in a browser are skipped.`,
  )
}

afterEach(closeWorlds)

let browser: Browser | undefined

describe.skipIf(absent && process.env.CI !== 'true')('in a browser', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    const flags = `--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
      --disable-background-networking --disable-component-update`
    const args = [...flags.split(/\s+/), '--host-resolver-rules=MAP *.test 127.0.0.1']
    browser = await chromium.launch({ executablePath, args })
  }, 60_000)
  afterAll(() => browser?.close())

  async function open(options: BrowserContextOptions = {}) {
    const world = await openIntake()
    const { page, faults } = await tab(options)
    const { url: link } = await world.intake.link(world.registration)
    const response = await page.goto(link)
    expect(response?.status()).toBe(200)
    return { ...world, page, faults, link }
  }

  async function tab(options: BrowserContextOptions = {}) {
    const context = await browser!.newContext(options)
    onTestFinished(() => context.close())
    const page = await context.newPage()
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('console', (line) => {
      // That an answer was no 2xx is what most of these tests are about.
      const said = line.text()
      if (line.type() === 'error' && !said.startsWith('Failed to load')) faults.push(said)
    })
    return { page, faults }
  }

  async function handOver(page: Page, text: string): Promise<number> {
    const answered = page.waitForResponse((one) => one.url().endsWith('/hand-over'))
    await page.getByLabel('API key').fill(text)
    await page.getByRole('button', { name: 'Hand over the key' }).click()
    const response = await answered
    await page.waitForLoadState()
    return response.status()
  }

  test('the right key: taken once, and nothing of it or of the link is left behind', async () => {
    const world = await open()
    const { page, link, faults, session, registration } = world
    const secret = link.split('/').at(-1) ?? ''
    expect(page.url()).not.toContain(secret)
    expect(await page.evaluate(() => document.documentElement.outerHTML)).not.toContain(secret)
    const key = await makeKey(world)
    expect(await handOver(page, key)).toBe(200)
    expect(await page.getByRole('heading').textContent()).toBe('Thank you, that is all')
    expectStatus(await session.claim({ registration }), 'ready')
    expect(await page.context().cookies()).toEqual([])
    await page.goBack()
    expect(page.url()).not.toContain(secret)
    expect(await page.content()).not.toContain(key)
    expect((await page.goto(link))?.status()).toBe(410)
    expect(await page.getByRole('heading').textContent()).toBe('This link is of no use any more')
    expect(faults).toEqual([])
  })

  test('works without a script', async () => {
    const world = await open({ javaScriptEnabled: false })
    expect(await handOver(world.page, 'kim@operator.test')).toBe(422)
    expect(await handOver(world.page, await makeKey(world))).toBe(200)
  })

  test('each wrong thing is said, not shown, and asked for again', async () => {
    const madeUp = '0123456789MADEUP0123456789MADEUP'
    const wrong = {
      'whole command': `curl https://x.test -H "Authorization: Bearer ${madeUp}"`,
      'it is a URL': 'https://portal.vendor.test/#/keys',
      'e-mail address': 'kim@operator.test',
      'a key of GitHub': `ghp_${madeUp}`,
      masked: 'KEY0••••••••',
      '401': `KEY0${madeUp}`,
      empty: '   ',
    }
    const world = await open()
    const { page, faults } = world
    for (const [rule, text] of Object.entries(wrong)) {
      expect(await handOver(page, text), rule).toBe(422)
      expect(await page.getByRole('alert').textContent()).toContain(rule)
      expect(await page.title()).toMatch(/^Not taken: /)
      const field = page.getByLabel('API key')
      expect(await field.inputValue()).toBe('')
      expect(await field.evaluate((one) => one === document.activeElement)).toBe(true)
      expect(await field.getAttribute('aria-describedby')).toBe('fault goes')
      if (rule !== 'empty') expect(await page.content()).not.toContain(text)
    }
    expect(await world.session.list()).toEqual([])
    expect(await handOver(page, ` "Bearer ${await makeKey(world)}"\n`)).toBe(200)
    expect(faults).toEqual([])
  })

  test('an expired link, and one that was tried too often', async () => {
    const world = await open()
    const { page } = world
    const { submit } = await visit(world.link)
    for (let tries = 0; tries < 8; tries++) await submit('kim@operator.test')
    expect(await handOver(page, 'kim@operator.test')).toBe(422)
    expect(await page.getByRole('alert').textContent()).toContain('(1 try left)')
    expect(await handOver(page, 'kim@operator.test')).toBe(410)
    const { url } = await world.intake.link(world.registration)
    world.sandbox.clock.advance(31 * 60_000)
    expect((await page.goto(url))?.status()).toBe(410)
    expect(await world.session.list()).toEqual([])
  })

  test('a second browser with the address alone sees nothing', async () => {
    const { page } = await open()
    const other = await tab()
    expect((await other.page.goto(page.url()))?.status()).toBe(403)
    expect(await other.page.getByRole('heading').textContent()).toBe('Please open the link again')
  })

  test('another name for this machine is answered nothing', async () => {
    const { link, intake, page } = await open()
    const { port, pathname } = new URL(link)
    expect((await page.goto(`http://rebound.test:${port}${pathname}`))?.status()).toBe(421)
    expect(await page.getByRole('textbox').count()).toBe(0)
    expect(intake.url).toBe(`http://127.0.0.1:${port}`)
  })

  test('another site can neither send its form nor frame the page', async () => {
    const world = await open()
    const { page, link, session } = world
    const target = page.url()
    const token = await page.locator('input[name=form]').inputValue()
    const attacker = await elsewhere(
      `<form method="post" action="${target}/hand-over">
       <input name="form" value="${token}"><input name="given" value="${await makeKey(world)}">
       <button>Win a prize</button></form><iframe src="${link}"></iframe>`,
    )
    for (const site of [`http://evil.test:${attacker}`, `http://127.0.0.1:${attacker}`]) {
      await page.goto(site)
      const [frame] = page.frames().filter((one) => one !== page.mainFrame())
      expect(await frame?.locator('form').count()).toBe(0)
      const answered = page.waitForResponse((one) => one.url().endsWith('/hand-over'))
      await page.getByRole('button', { name: 'prize' }).click()
      expect((await answered).status()).toBe(403)
    }
    expect(await session.list()).toEqual([])
    expect((await page.goto(target))?.status()).toBe(200)
    expect(await handOver(page, await makeKey(world))).toBe(200)
  })

  test('every page is accessible, light and dark, and fits a phone and a desk', async () => {
    const world = await open()
    const { page, link } = world
    await check(page, 'light')
    await handOver(page, 'kim@operator.test')
    await check(page, 'light', 'dark')
    expect((await page.goto(page.url()))?.status()).toBe(405)
    await check(page, 'dark')
    await page.getByRole('link', { name: 'Back to the page' }).click()
    expect(await handOver(page, await makeKey(world))).toBe(200)
    await check(page, 'dark')
    await page.goto(link)
    await check(page, 'light')
  })

  test('a yes to an action: shown exactly, accessible, taken once by its button alone', async () => {
    const world = await openWorld()
    const { consent, input } = await askedFor(world)
    const intake = await serveIntake(world.auth, { name: 'Acme Operations' })
    onTestFinished(intake.close)
    const { page, faults } = await tab({ javaScriptEnabled: true })
    const { url: link } = await intake.link(consent.consent)
    expect((await page.goto(link))?.status()).toBe(200)
    expect(page.url()).not.toContain(link.split('/').at(-1))
    const [, ...lines] = consent.action.summary.split('\n')
    expect((await page.getByRole('listitem').allTextContents()).slice(0, lines.length)).toEqual(
      lines,
    )
    await check(page, 'light', 'dark')
    await page.keyboard.press('Enter')
    expectStatus(await world.session.register(input), 'needs_consent')
    await page.getByRole('button', { name: 'Approve', exact: true }).click()
    expect(await page.getByRole('heading').textContent()).toBe('Approved')
    await check(page, 'light', 'dark')
    expectStatus(await world.session.register(input), 'pending')
    expect((await page.goto(link))?.status()).toBe(410)
    expect(faults).toEqual([])
  })

  test('a code: typed in with spaces, or shown to be typed at the service', async () => {
    const { page, faults } = await tab()
    for (const way of ['read', 'enter'] as const) {
      const { auth, registration, service } = await waitingForCode(way)
      const intake = await serveIntake(auth)
      onTestFinished(intake.close)
      await page.goto((await intake.link(registration)).url)
      await check(page, 'light', 'dark')
      if (way === 'read') await page.getByLabel('Code').fill('028 117')
      else expect(await page.locator('strong.code').textContent()).toBe(rightCode)
      service.typed = true
      await page.getByRole('button').click()
      await page.getByRole('heading', { name: 'Thank you, that is all' }).waitFor()
      expect(service.sent).toEqual(way === 'read' ? [rightCode] : [undefined])
    }
    expect(faults).toEqual([])
  })

  async function check(page: Page, ...schemes: readonly ('light' | 'dark')[]): Promise<void> {
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme })
      // Legacy: within this one page, which has no frames.
      const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze()
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
    }
    for (const width of [320, 390, 1280]) {
      await page.setViewportSize({ width, height: 800 })
      const { wide, tall } = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth - innerWidth,
        tall: [...document.querySelectorAll('button, input:not([type=hidden])')].map(
          (one) => one.getBoundingClientRect().height,
        ),
      }))
      expect(wide).toBeLessThanOrEqual(0)
      for (const height of tall) expect(height).toBeGreaterThanOrEqual(44)
    }
  }
})

/** A page of somebody else. */
async function elsewhere(body: string): Promise<number> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html>${body}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
