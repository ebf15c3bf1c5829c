import { expect, test } from 'vitest'
import { obtainKey } from '../../test/client.ts'
import { personAtPortal, startSandbox } from '../index.ts'

const email = 'ada@agents.example'

test('a person sees, makes and deletes keys, and not those of others', async () => {
  await using sandbox = await startSandbox()
  const secret = await obtainKey(sandbox, email)
  const ada = personAtPortal(sandbox, email)
  const bob = personAtPortal(sandbox, 'bob@agents.example')
  const issued = (value: string) => sandbox.ledger.find((entry) => entry.value === value)
  const made = await ada.makeKey('read')
  expect(issued(made.api_key)).toMatchObject({ id: made.id, scope: 'read' })
  expect((await ada.keys()).map(({ id }) => id)).toEqual([issued(secret)?.id, made.id])
  expect(await bob.keys()).toEqual([])
  await expect(bob.deleteKey(made.id)).rejects.toThrow('404')
  await ada.deleteKey(made.id)
  expect((await ada.keys()).map(({ id }) => id)).toEqual([issued(secret)?.id])
  await ada.deleteKeys()
  expect(await ada.keys()).toEqual([])
  expect(issued(secret)?.revokedAt).toBeDefined()
})

test('what the portal refuses or leaves unanswered is an error', async () => {
  await using sandbox = await startSandbox()
  await expect(personAtPortal(sandbox, 'nobody').keys()).rejects.toThrow('400')
  sandbox.faults.add({ name: 'portal_keys', cut: 'after' })
  await expect(personAtPortal(sandbox, email).keys()).rejects.toThrow('hang up')
})
