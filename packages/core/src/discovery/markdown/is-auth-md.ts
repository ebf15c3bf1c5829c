import type { Fact, FactName } from '../profile.ts'
import type { Outline } from './statements.ts'

/** Why a text is not taken for one that tells agents how to get in. */
export type NotAuthMd =
  | 'it says nothing to agents'
  | 'it names no way in'
  | 'it is about how software is built'

const toAgents =
  /\b(?:AI|autonomous|coding|software) (?:agents?|assistants?|clients?|crawlers?)\b|\bagents?\b|\bMCP\b|\bLLMs?\b|\bbots?\b|\bmachine clients?\b|\bprogrammatic(?:ally)?\b|\bmachine-readable\b|\bprompts\b|\bagentes?\b|\bAgenten\b/i
const spoken =
  /\byou are an? (?:AI )?agent\b|\b(?:register\w*|authenticat\w*|connect\w*) your agent\b|\b(?:for|to|by) (?:AI )?agents?\b|\bwelcome, (?:AI )?agent/i
const vocabulary = /\bidentity types?\b|\bID-JAG\b|\bagentic registration\b/i
/** Keys that the convention made: who writes them, means it. */
const convention =
  /\b(?:agent_auth|register_uri|registration_uri|claim_uri|claim_url|claim_endpoint|identity_endpoint|revocation_uri|identity_types_supported)\b/i
const sources =
  /(?:^|[\s`(/])(?:[\w.@-]+\/){1,8}[\w.-]+\.(?:tsx?|jsx?|mjs|py|go|rb|php|rs|java|kt|cs|swift|dart|sql|vue|svelte|ex)\b/g
const workshop =
  /\b(?:middlewares?|migrations?|next-?auth|passport\.js|bcrypt|argon2|prisma|ORM|composer require|npm (?:run|install|i)|yarn add|pip install|docker(?:-compose)?|localhost|AuthGuard|controllers?|refactor\w*|unit tests?|database schema|users table|hash(?:ed|ing)? passwords?|password hash\w*|foreign key|facade|artisan|framework|useSession|redux|react|flutter|laravel|express|django|tailwind|source code|this (?:project|repo|package|library)|codebase|pull request|implementation|config file|RLS)\b/gi
/** Sections of a design, and tables of a database: for those who build. */
const design =
  /^(?:\d+[.)]\s*)?(?:(?:non-)?goals|data(?:base)? (?:model|schema)|threat model|implementation\b.*|migrations?|testing|file structure|project structure|architecture|schema|future work|open questions|key files)$/i
const tables = /\b(?:CREATE TABLE|PRIMARY KEY|NOT NULL|FOREIGN KEY|create policy)\b/i
const programs = new Set(
  'ts tsx js jsx typescript javascript python py php go java kotlin swift dart ruby rb rust csharp cs sql scala'.split(
    ' ',
  ),
)

/**
 * Tells a text that tells agents how to get in from others of that name: of a library, of a team, a
 * home page. Undefined for one that does; else why not. It weighs whom the text speaks to and what
 * ways it names against signs that it is about building software.
 */
export function whyNotAuthMd(
  { statements, title = '' }: Outline,
  facts: readonly Fact[],
): NotAuthMd | undefined {
  const words = statements.filter(({ kind }) => kind !== 'code').map(({ text }) => text)
  const all = words.join('\n').slice(0, 60_000)
  const opening = all.slice(0, 2_500)
  const has = (...names: readonly FactName[]) => facts.some(({ name }) => names.includes(name))
  const listeners = points([
    [2, /\bauth\.md\b/i.test(title)],
    [1, toAgents.test(title)],
    [1, toAgents.test(opening)],
    [1, spoken.test(opening)],
    [1, vocabulary.test(all)],
    [2, convention.test(all)],
  ])
  const ways = points([
    [1, has('prm_url', 'as_metadata_url')],
    [1, has('register_uri', 'claim_uri', 'identity_type', 'revocation_uri')],
    [1, has('header_scheme')],
    [1, has('method')],
    [
      1,
      has('mcp_url') || facts.some(({ name, value }) => name === 'use_base_url' && isPublic(value)),
    ],
    [1, facts.some(({ denied }) => denied)],
  ])
  const blocks = statements.filter(({ info = '' }) => programs.has(info)).length
  const tools = new Set(Array.from(all.matchAll(workshop), ([word]) => word.toLowerCase())).size
  const files = Array.from(all.matchAll(sources)).length
  const designs = statements.filter(({ kind, text }) => kind === 'heading' && design.test(text))
  const building = points([
    [1, designs.length >= 1],
    [1, designs.length >= 2],
    [2, statements.some(({ code = '' }) => tables.test(code.slice(0, 20_000)))],
    [1, files >= 2],
    [1, files >= 4],
    [2, files >= 9],
    [1, blocks >= 3],
    [1, blocks >= 6],
    [1, tools >= 4],
    [1, tools >= 6],
    [1, tools >= 8],
  ])
  if (listeners === 0) return 'it says nothing to agents'
  if (ways === 0) return 'it names no way in'
  const workshopOnly = building >= 4 && !convention.test(all)
  if (!workshopOnly && listeners + ways - building >= 3) return undefined
  return building > 0 ? 'it is about how software is built' : 'it says nothing to agents'
}

function points(signs: readonly (readonly [number, boolean])[]): number {
  return signs.reduce((sum, [worth, seen]) => sum + (seen ? worth : 0), 0)
}

function isPublic(url: string): boolean {
  return /^https:\/\/(?!localhost|127\.)[^/]+\.[a-z]{2,}/i.test(url)
}
