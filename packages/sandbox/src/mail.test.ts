import { expect, test } from 'vitest'
import { send, signUp } from '../test/client.ts'
import { signInLink, startSandbox } from './index.ts'

test('waitFor finds what is there, waits for what is not, and gives up', async () => {
  await using sandbox = await startSandbox()
  const { mail } = sandbox
  const coming = mail.waitFor('Ada@agents.example')
  await signUp(sandbox, 'ada@agents.example')
  const first = await coming
  expect(await mail.waitFor('ada@agents.example')).toBe(first)

  const next = mail.waitFor('ada@agents.example', { after: first.id })
  await signUp(sandbox, 'bob@agents.example')
  await signUp(sandbox, 'ada@agents.example')
  expect((await next).id).not.toBe(first.id)
  expect(mail.list()).toHaveLength(3)
  expect(mail.list('ada@agents.example')).toEqual([first, await next])
  await expect(mail.waitFor('eve@agents.example', { timeoutMs: 5 })).rejects.toThrow(/no mail/)
})

test('other processes read mail over HTTP', async () => {
  await using sandbox = await startSandbox({ clock: { now: () => 0 } })
  const link = await signUp(sandbox, 'ada@agents.example')
  await signUp(sandbox, 'bob@agents.example')
  const [mail] = sandbox.mail.list('ada@agents.example')
  const { receivedAt, ...rest } = mail ?? { receivedAt: -1, html: '' }
  expect(receivedAt).toBe(0)
  const url = `${sandbox.urls.mail}/messages`
  expect((await send('GET', `${url}?to=ada%40agents.example`)).json).toEqual({
    data: [{ ...rest, received_at: '1970-01-01T00:00:00.000Z' }],
  })
  const one = await send('GET', `${url}/${mail?.id}`)
  expect(signInLink({ html: one.at('data.html') })).toBe(link)
  expect((await send('GET', `${url}/nope`)).status).toBe(404)
  // Reading mail is not a request to the service.
  expect(sandbox.log.map(({ host }) => host)).not.toContain('mail.localhost')
})
