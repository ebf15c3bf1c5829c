import { startSandbox } from '@authmd/sandbox'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import { expect, test } from 'vitest'
import { connectTo, overHttp, yes } from './client.ts'
import { expectNoSecret, startTapped } from './wire.ts'
import { effects, flowStatuses, wholeFlow } from './world.ts'

const firstWord = (text: string) => /^\w+/.exec(text)?.[0]

test('over HTTP: all five verbs with exactly two approvals; no secret on the wire', async () => {
  const world = await startTapped()
  try {
    const { text, asked, close } = await overHttp(world.url, { answer: yes })
    const texts = await wholeFlow(world, text)
    expect(texts.map(firstWord)).toEqual(flowStatuses)
    expect(texts.at(-1)).toContain('revoked: ')
    expect(asked.map(({ message }) => message)).toEqual([
      expect.stringContaining('Accept on your behalf'),
      expect.stringContaining('Revoke the credential cred_'),
    ])
    expect(world.told.filter(({ kind }) => kind === 'consent')).toEqual([])
    await close()
    expectNoSecret(world.sandbox, world.wire())
  } finally {
    await world.close()
  }
})

test('nothing lasts before the first yes, and who said it is on record', async () => {
  const world = await startTapped()
  try {
    const before: string[][] = []
    const { text, close } = await overHttp(world.url, {
      answer: (params) => {
        before.push(effects(world))
        return yes(params)
      },
    })
    await wholeFlow(world, text)
    expect(before).toEqual([[], ['bot_signup', 'bot_sessions', 'api_keys']])
    const decision = { approved: true, approver: 'kim@acme.example', channel: 'mcp' }
    expect(await world.consents()).toMatchObject([
      { state: 'redeemed', decision },
      { state: 'redeemed', decision },
    ])
    await close()
  } finally {
    await world.close()
  }
})

test('over stdio: the same, with a child process', async () => {
  await using sandbox = await startSandbox()
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [
      '--conditions=@authmd/source',
      `${import.meta.dirname}/stdio-server.ts`,
      sandbox.urls.mail,
    ],
  })
  const wire: JSONRPCMessage[] = []
  const { text, asked, close, client } = await connectTo(transport, { answer: yes })
  const send = transport.send.bind(transport)
  transport.send = (message) => {
    wire.push(message)
    return send(message)
  }
  const received = transport.onmessage
  transport.onmessage = (message) => {
    wire.push(message)
    received?.(message)
  }
  const texts = await wholeFlow({ sandbox }, text)
  expect(texts.map(firstWord)).toEqual(flowStatuses)
  expect(asked).toHaveLength(2)
  expect(client.getServerVersion()).toMatchObject({ name: 'authmd' })
  await close()
  expectNoSecret(sandbox, JSON.stringify(wire))
})
