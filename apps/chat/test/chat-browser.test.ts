import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Sandbox } from '@authmd/sandbox'
import { AxeBuilder } from '@axe-core/playwright'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { ChatServer } from './chat-server.ts'

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const skipped = !existsSync(executablePath) && !process.env.CI
if (skipped)
  console.warn(`No Chromium at ${executablePath}: the tests of the chat page are skipped.`)

const screens = join(import.meta.dirname, '../.report/screens')
const task = 'Find me a phone number in Chicago at Telnyx'

// Once in many runs the browser answers nothing any more: then a test begins anew, with another page and service.
const patient = { timeout: 60_000, retry: 1 }

describe.skipIf(skipped)('the chat page', patient, () => {
  let browser: Browser
  let chat: ChatServer

  beforeAll(async () => {
    // Not imported where the tests are skipped: it takes seconds to load.
    const { startChat } = await import('./chat-server.ts')
    const flags = '--no-sandbox --disable-gpu --no-first-run --disable-background-networking'
    const launched = chromium.launch({ executablePath, args: flags.split(' ') })
    ;[browser, chat] = await Promise.all([launched, startChat()])
    mkdirSync(screens, { recursive: true })
  })
  afterAll(async () => {
    await browser?.close()
    await chat?.close()
  })

  /** A service of its own, and a browser that is new here. */
  async function open() {
    const { sandbox, conversations } = await chat.renew()
    const context = await browser.newContext({ reducedMotion: 'reduce' })
    context.setDefaultTimeout(15_000)
    onTestFinished(() => context.close())
    return { sandbox, conversations, context, ...(await tab(context)) }
  }

  async function tab(context: BrowserContext) {
    const page = await context.newPage()
    const faults: string[] = []
    const posted: string[] = []
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('console', (line) => {
      if (line.type() === 'error') faults.push(line.text())
    })
    page.on('request', (request) => posted.push(request.postData() ?? ''))
    await page.goto(chat.url)
    return { page, faults, posted }
  }

  async function askForNumber(page: Page) {
    await page.getByRole('button', { name: task }).click()
    await button(page, 'Approve').waitFor()
    // The turn is over: nothing of it is cut off by what follows.
    await button(page, 'Send').waitFor()
  }

  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
  const card = (page: Page, name: string) => page.getByRole('article', { name })
  const effects = (sandbox: Sandbox) =>
    sandbox.log.filter((one) => one.effect).map((one) => one.name)

  /** What a click opens beside the chat. */
  async function beside(page: Page, role: 'button' | 'link', name: string): Promise<Page> {
    const opened = page.context().waitForEvent('page')
    await page.getByRole(role, { name, exact: true }).click()
    const other = await opened
    await other.waitForLoadState()
    return other
  }

  /** The person reads their mail and hands its link over, each on a page of its own. */
  async function handLinkOver(page: Page): Promise<void> {
    const mail = await beside(page, 'link', 'Open your mail')
    const [link = ''] = /http\S*bot_sessions\S*/.exec((await mail.textContent('body')) ?? '') ?? []
    const intake = await beside(page, 'button', 'Hand it over')
    await intake.getByRole('textbox').fill(link)
    await intake.getByRole('button').click()
    await intake.getByRole('heading', { name: 'Thank you, that is all' }).waitFor()
  }

  /** The person deletes all keys in the service's portal. */
  async function deleteKeys(page: Page, email: string): Promise<void> {
    const portal = await beside(page, 'link', 'Open the page')
    await portal.getByLabel('Mail address').fill(email)
    await portal.getByRole('button', { name: 'Sign in' }).click()
    await portal.getByRole('button', { name: /^Delete / }).click()
    await portal.getByText('There are none.').waitFor()
  }

  /** Nothing is wrong with this state for anybody, light and dark, on a phone and on a desk. */
  async function inspect(page: Page, state: string): Promise<void> {
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 800 })
      const toEnd = () => {
        scrollTo(0, document.body.scrollHeight)
        return document.documentElement.scrollWidth - innerWidth
      }
      expect(await page.evaluate(toEnd)).toBeLessThanOrEqual(0)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        const axe = new AxeBuilder({ page }).setLegacyMode()
        // In the dark nothing is another than the colours.
        if (colorScheme === 'dark') axe.withRules('color-contrast')
        const { violations } = await axe.analyze()
        expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
        await page.screenshot({ path: join(screens, `${state}-${width}-${colorScheme}.png`) })
      }
    }
  }

  test('from a wish to a number and back, with a reload while the question is open', async () => {
    const { sandbox, page, faults, posted } = await open()
    await page.setViewportSize({ width: 390, height: 800 })
    await askForNumber(page)
    // On a phone too, nobody has to look for what they are asked.
    const { y = Infinity, height = 0 } = (await button(page, 'Approve').boundingBox()) ?? {}
    expect(y + height).toBeLessThan((await page.locator('footer').boundingBox())?.y ?? 0)
    expect(effects(sandbox)).toEqual([])
    await page.reload()
    await inspect(page, '1-asked')
    const asked = card(page, 'May the agent do this?')
    expect(await asked.getByRole('listitem').first().textContent()).toContain(
      'Accept on your behalf',
    )
    await button(page, 'Approve').click()
    await card(page, 'You approved this, once').waitFor()
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('You approved')
    await card(page, 'Your turn').waitFor()
    expect(effects(sandbox)).toEqual(['bot_signup'])
    await handLinkOver(page)
    // The call that waited goes on by itself.
    await page.getByText(/A number that is free in Chicago: \+1312\d+/).waitFor()
    expect(await card(page, 'Your turn').count()).toBe(0)

    await button(page, 'Give the access up').click()
    await button(page, 'Approve').click()
    await page.getByText('Tell me when it is done').waitFor()
    await page.locator('summary').nth(2).click()
    await inspect(page, '2-your-turn')
    await deleteKeys(page, sandbox.mail.list()[0]?.to ?? '')
    await button(page, 'I have deleted it').click()
    await page.getByText('the service refuses the key now').waitFor()
    expect(effects(sandbox).filter((name) => name === 'bot_signup')).toHaveLength(1)
    const key = sandbox.ledger.find(({ kind }) => kind === 'api_key')
    expect(key?.revokedAt).toBeTypeOf('number')
    expect(faults).toEqual([])

    const storage = () => JSON.stringify([localStorage, sessionStorage, document.cookie])
    const seen = [await page.content(), await page.evaluate(storage)]
    await page.reload()
    await page.getByText('the service refuses the key now').waitFor()
    seen.push(await page.content(), JSON.stringify(await page.context().cookies(chat.url)))
    const sent = chat.sent()
    for (const part of ['<title>authmd chat', 'tool-output-available', 'Thank you, that is all'])
      expect(sent).toContain(part)
    const all = [...seen, ...posted, sent].join('\n')
    expect(all).toContain('cred_')
    expect(sandbox.ledger.length).toBeGreaterThan(2)
    for (const { kind, value } of sandbox.ledger)
      expect([kind, all.includes(value)]).toEqual([kind, false])
  })

  test('a no is a no, also for the next wish', async () => {
    const { sandbox, page } = await open()
    await askForNumber(page)
    await button(page, 'Decline').click()
    await card(page, 'You declined this').waitFor()
    await page.getByText('All right, I leave it').waitFor()
    await page.getByLabel('Your message').fill('Then go on')
    await page.keyboard.press('Enter')
    await page.getByText('All right, I leave it').nth(1).waitFor()
    expect(await button(page, 'Approve').count()).toBe(0)
    expect(effects(sandbox)).toEqual([])
  })

  test('two tabs in which the same question is answered are one yes', async () => {
    const { sandbox, page, context } = await open()
    await askForNumber(page)
    const { page: second } = await tab(context)
    const sent = [page, second].map((one) => one.waitForRequest((made) => made.method() === 'POST'))
    await Promise.all([page, second].map((one) => button(one, 'Approve').click()))
    await Promise.all(sent)
    const acted = (one: Page) =>
      card(one, 'You approved this, once')
        .getByText(/^waits/)
        .waitFor()
    await Promise.all([page, second].map(acted))
    expect(effects(sandbox)).toEqual(['bot_signup'])
  })

  test('a double click is one yes, and no reload loses or repeats what it began', async () => {
    const { sandbox, page } = await open()
    sandbox.faults.add({ name: 'bot_signup', delay: 500 })
    await askForNumber(page)
    await button(page, 'Approve').dblclick()
    await card(page, 'You approved this, once').waitFor()
    await page.reload()
    await card(page, 'Your turn').waitFor()
    expect(effects(sandbox)).toEqual(['bot_signup'])
    await page.reload()
    await handLinkOver(page)
    // The reload cut the call off that waited, or the page has begun it anew.
    const found = page.getByText('A number that is free')
    await button(page, 'Go on').or(found).waitFor()
    if (!(await found.isVisible())) await button(page, 'Go on').click()
    await found.waitFor()
    expect(effects(sandbox)).toEqual(['bot_signup', 'bot_sessions', 'api_keys'])
  })

  test('a conversation is its browser’s alone, and only its own page speaks for it', async () => {
    const { sandbox, conversations, page, context } = await open()
    await askForNumber(page)
    const { url } = chat
    const [mine = []] = structuredClone([...conversations.values()])
    const registration = /reg_[\w-]+/.exec(JSON.stringify(mine))?.[0] ?? ''
    expect(await (await context.request.get(url)).text()).toContain(registration)
    const other = await browser.newContext()
    onTestFinished(() => other.close())
    const origin = { origin: url }
    const first = await other.request.post(`${url}/api/chat`, { data: {}, headers: origin })
    expect(first.status()).toBe(401)
    expect(await (await other.request.get(url)).text()).not.toContain(registration)
    for (const part of mine.at(-1)?.parts ?? []) {
      if (!('state' in part) || part.state !== 'approval-requested') continue
      Object.assign(part, { state: 'approval-responded' })
      Object.assign(part.approval, { approved: true })
    }
    const data = { messages: mine }
    const forged = await other.request.post(`${url}/api/chat`, { data, headers: origin })
    expect(await forged.text()).toContain('error not_found')
    const foreign = await context.request.post(`${url}/api/chat`, {
      data,
      headers: { origin: 'http://evil.test' },
    })
    expect(foreign.status()).toBe(403)
    const post = (path: string, headers: Record<string, string>, data: string) =>
      context.request.post(`${url}${path}`, { data, headers: { ...origin, ...headers } })
    const json = { 'content-type': 'application/json' }
    for (const body of ['null', '"', '[]', '{"messages":'])
      expect([body, (await post('/api/chat', json, body)).status()]).toEqual([body, 400])
    const plain = { 'content-type': 'text/plain' }
    expect((await post('/hand-over', plain, registration)).status()).toBe(404)
    const form = { form: { registration }, headers: origin }
    expect((await other.request.post(`${url}/hand-over`, form)).status()).toBe(404)
    expect(effects(sandbox)).toEqual([])
  })
})
