// Reads a folder of documents and prints what each says, one JSON line a document.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readDocument } from '../packages/core/src/discovery/markdown/read.ts'
import type { FactName } from '../packages/core/src/discovery/profile.ts'

const { positionals } = parseArgs({ allowPositionals: true })
const [dir] = positionals
if (dir === undefined) {
  console.error('usage: pnpm -s facts DIR   (DIR holds documents/ and perhaps negatives/)')
  process.exit(2)
}

for (const folder of ['documents', 'negatives']) {
  const path = join(dir, folder)
  if (!existsSync(path)) continue
  for (const file of readdirSync(path).sort()) {
    if (!file.endsWith('.md')) continue
    const text = readFileSync(join(path, file), 'utf8')
    console.log(JSON.stringify({ document: file.slice(0, -3), ...readingOf(text) }))
  }
}

function readingOf(text: string) {
  const { facts, isAuthMd } = readDocument(text, { url: 'https://document.example/auth.md' })
  const stated = facts.filter(({ denied }) => !denied)
  const all = (name: FactName) => [
    ...new Set(
      stated.filter((fact) => fact.name === name).map(({ value, written }) => written ?? value),
    ),
  ]
  const first = (name: FactName) => all(name)[0] ?? null
  const placed = (name: FactName) => {
    const fact = stated.find((one) => one.name === name)
    return fact ? { value: fact.written ?? fact.value, mode: fact.mode } : null
  }
  return {
    isAuthMd,
    facts: {
      resource: first('resource'),
      authorization_servers: all('authorization_server'),
      register_uri: placed('register_uri'),
      claim_uri: placed('claim_uri'),
      revocation_uri: placed('revocation_uri'),
      identity_types: all('identity_type'),
      use_base_url: first('use_base_url'),
      header_scheme: all('header_scheme'),
      mcp_url: first('mcp_url'),
      error_codes: [...all('error_status'), ...all('error_code')],
      prm_url: first('prm_url'),
      as_metadata_url: first('as_metadata_url'),
      methods: all('method'),
    },
  }
}
