// npm run demo [-- --json]
import { parseArgs } from 'node:util'
import type { LanguageModel } from 'ai'
import { runAiSdk } from './run-ai-sdk.ts'
import { Screen } from './screen.ts'

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

const model = await realModel()
screen.line(`Vercel AI SDK, with a ${model ? 'real' : 'scripted'} model.`)
const evidence = await runAiSdk(screen, model, values.json)
screen.table([
  ['the service saw a key made, used and refused', evidence.ok ? 'yes' : 'NO'],
  ['tool calls', String(evidence.toolCalls)],
  ['approvals by a person', String(evidence.approvals)],
  ['dependent round trips of discovery', String(evidence.roundTrips)],
  ['tokens given to the model, in all', String(evidence.contextTokens)],
  ['secrets that were issued', String(evidence.secretsIssued)],
  [
    'a secret seen outside the vault',
    `${evidence.secretSeen ? 'YES' : 'no'} (${evidence.sinksSearched} places, ${evidence.bytesSearched} bytes searched; control ${evidence.controlFound ? 'found' : 'NOT FOUND'})`,
  ],
])
if (values.json) console.log(JSON.stringify({ frameworks: { 'ai-sdk': evidence } }))
const good = evidence.ok && !evidence.secretSeen && evidence.controlFound
process.exitCode = good ? 0 : 1
