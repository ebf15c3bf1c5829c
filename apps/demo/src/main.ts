// npm run demo [-- --json]
import { parseArgs } from 'node:util'
import type { LanguageModel } from 'ai'
import { inAiSdk } from './in-ai-sdk.ts'
import { inLangChain } from './in-langchain.ts'
import { inMastra } from './in-mastra.ts'
import { Screen } from './screen.ts'
import { type Evidence, tell } from './story.ts'

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
const screen = new Screen(values.json ? process.stderr : process.stdout)

/** A real model where its usual variable is set; else the scripted one. */
async function realModel(): Promise<LanguageModel | undefined> {
  const { OPENAI_API_KEY, ANTHROPIC_API_KEY, OPENAI_MODEL, ANTHROPIC_MODEL } = process.env
  if (values.json) return undefined
  if (OPENAI_API_KEY) return (await import('@ai-sdk/openai')).openai(OPENAI_MODEL ?? 'gpt-5-mini')
  if (ANTHROPIC_API_KEY) {
    return (await import('@ai-sdk/anthropic')).anthropic(ANTHROPIC_MODEL ?? 'claude-haiku-4-5')
  }
  return undefined
}

const found: [string, Evidence][] = []
for (const framework of [inAiSdk(await realModel()), inLangChain, inMastra]) {
  found.push([framework.name, await tell(framework, screen, values.json)])
}
const row = (title: string, cell: (evidence: Evidence) => string | number) =>
  [title, ...found.map(([, evidence]) => String(cell(evidence)))] as const
screen.table([
  ['', ...found.map(([name]) => name)],
  row('the service saw a key made, used and refused', ({ ok }) => (ok ? 'yes' : 'NO')),
  row('tool calls', (one) => one.toolCalls),
  row('approvals by a person', (one) => one.approvals),
  row("calls of the service's own tools", ({ mounted }) => mounted.calls),
  row('  of them approved by a person', ({ mounted }) => mounted.approvals),
  row('dependent round trips of discovery', (one) => one.roundTrips),
  row('tokens given to the model, in all', (one) => one.contextTokens),
  row('secrets that were issued', (one) => one.secretsIssued),
  row('a secret seen outside the vault', ({ secretSeen }) => (secretSeen ? 'YES' : 'no')),
  row('  places that were searched', (one) => one.sinksSearched),
  row('  bytes', (one) => one.bytesSearched),
  row('  the control was found in each', ({ controlFound }) => (controlFound ? 'yes' : 'NO')),
])
if (values.json) console.log(JSON.stringify({ frameworks: Object.fromEntries(found) }))
const good = found.every(([, one]) => one.ok && !one.secretSeen && one.controlFound)
process.exitCode = good ? 0 : 1
