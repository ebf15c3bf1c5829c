import { expect, test } from 'vitest'
import { ToolBook } from '../src/tools/tool-book.ts'
import { mcpServer } from './mcp-server.ts'
import { owner } from './world.ts'

test('two mounts at once never share a name', async () => {
  const server = await mcpServer(() => undefined)
  const book = new ToolBook(server.auth)
  const at = (path: string) => book.mount(owner, `${server.service.origin}${path}`, options)
  const options = { prefix: 'x' }
  const mounts = await Promise.all([at('/mcp'), at('/v2/mcp')])
  expect(mounts.map(({ tools }) => tools.map(({ name }) => name))).toEqual([
    ['x_read', 'x_write'],
    [],
  ])
  expect(mounts[1]?.left.map(({ name }) => name)).toEqual(['read', 'write'])
})

test('a mount that fails is told of, and does not stop the next', async () => {
  const server = await mcpServer(() => undefined)
  const book = new ToolBook(server.auth)
  const at = (path: string) => book.mount(owner, `${server.service.origin}${path}`)
  const [failed, mounted] = await Promise.allSettled([at('/nothing'), at('/mcp')])
  expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'not_found' } })
  expect(mounted?.status).toBe('fulfilled')
  expect(book.all.length).toBeGreaterThan(5)
})
