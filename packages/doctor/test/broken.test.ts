import { type Sandbox, startSandbox } from '@authmd/sandbox'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { diagnose, type Finding, ruleList } from '../src/index.ts'
import { askLoopback } from './ask.ts'
import { type Broken, broken, keyPage } from './broken.ts'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({
    authMd: [{ version: 'v0.7' }, { version: 'v0.7', name: 'text', textOnly: true }],
  })
})
afterEach(() => sandbox.faults.clear())
afterAll(() => sandbox.close())

const metadata = [
  '/.well-known/oauth-protected-resource',
  '/.well-known/oauth-authorization-server',
]

/** Serves what the service itself serves, with one change. */
async function spoil({ of, text, resource, server, headers, faults }: Broken): Promise<string> {
  const site = sandbox.authMd[of === 'metadata' ? 0 : 1]
  if (!site) throw new Error('there is no such service')
  const { api, issuer } = site
  for (const fault of faults?.(api) ?? []) sandbox.faults.add(fault)
  if ((text || headers) && !faults?.(api).some(({ name }) => name === 'agent_auth_md')) {
    const own = of === 'text' ? keyPage(api) : ((await askLoopback(`${api}/auth.md`)) as string)
    const body = text?.(own, api) ?? own
    if (text) expect(body, 'the text is another').not.toBe(own)
    sandbox.faults.add({
      name: 'agent_auth_md',
      status: 200,
      body,
      headers: headers ?? { 'content-type': 'text/markdown' },
    })
  } else if (of === 'text') {
    sandbox.faults.add({
      name: 'agent_auth_md',
      status: 200,
      body: keyPage(api),
      headers: { 'content-type': 'text/markdown' },
    })
  }
  const changes = [
    ['agent_prm', `${api}${metadata[0]}`, resource],
    ['agent_as_metadata', `${issuer}${metadata[1]}`, server],
  ] as const
  for (const [name, url, change] of changes) {
    if (!change) continue
    const own = (await askLoopback(url)) as Record<string, unknown>
    const { mediaType = 'application/json', ...body } = change(own, api)
    expect({ ...body, mediaType }, 'the metadata is another').not.toEqual({
      ...own,
      mediaType: 'application/json',
    })
    sandbox.faults.add({
      name,
      status: 200,
      body: JSON.stringify(body),
      headers: { 'content-type': String(mediaType) },
    })
  }
  return api
}

/** `/auth.md:12`, `/x agent_auth`. */
function shortly({ place: { url, line, at } }: Finding): string {
  const { pathname } = new URL(url)
  const where = line === undefined || at !== undefined ? pathname : `${pathname}:${line}`
  return at === undefined ? where : `${where} ${at}`
}

describe('finds one fault of a service, once, and nothing else', () => {
  it.each(broken.map((one) => [one.rule, one.what, one] as const))('%s: %s', async (_, __, one) => {
    const { findings } = await diagnose({ service: await spoil(one) })
    expect(findings.map((finding) => `${finding.rule} at ${shortly(finding)}`)).toEqual([
      `${one.rule} at ${one.at}`,
    ])
    const [{ severity, problem, fix, source } = {}] = findings
    expect(severity).toBe(ruleList.find(({ id }) => id === one.rule)?.severity)
    for (const text of [problem, fix, source]) expect(text).toMatch(/^\S.*\S$/)
  })
})

it('has a broken service for every rule', () => {
  const tried = new Set(broken.map(({ rule }) => rule))
  expect(ruleList.map(({ id }) => id).filter((id) => !tried.has(id))).toEqual([])
  expect(broken.length).toBeGreaterThan(60)
})

it('sends nothing but GET and HEAD to any of them', () => {
  expect(new Set(sandbox.log.map(({ method }) => method))).toEqual(new Set(['GET', 'HEAD']))
  expect(sandbox.log.filter(({ effect, body }) => effect || body !== '')).toEqual([])
  expect(sandbox.ledger).toEqual([])
})
