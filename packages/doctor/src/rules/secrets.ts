import type { Rule } from '../facts.ts'

/** Beginnings that services give to keys, with what follows in a real one. */
const known: readonly RegExp[] = [
  /\b(?:sk|rk|pk)_live_[A-Za-z0-9]{16,}/,
  /\bsk-(?:proj-|ant-[a-z0-9]+-)?[A-Za-z0-9_-]{32,}/,
  /\bgh[pousr]_[A-Za-z0-9]{36}/,
  /\bgithub_pat_[A-Za-z0-9_]{40,}/,
  /\bglpat-[A-Za-z0-9_-]{20,}/,
  /\bxox[abprs]-[A-Za-z0-9-]{20,}/,
  /\bAKIA[0-9A-Z]{16}\b/,
  /\bAIza[0-9A-Za-z_-]{35}/,
  /\bnpm_[A-Za-z0-9]{36}/,
  /\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}/,
  /\bKEY[0-9A-F]{16,}_[A-Za-z0-9]{20,}/,
  /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/,
  /\beyJ[A-Za-z0-9_-]{16,}\.eyJ[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{20,}/,
]
/** What stands where a key does. */
const carried =
  /(?:\bBearer|\bBasic|\btoken|["']?(?:api[_-]?key|access[_-]?token|client[_-]?secret|secret|password)["']?\s*[:=]|x-api-key:)\s+?["']?([A-Za-z0-9_.+/-]{24,})/gi
/** What nobody takes for a key, the examples of RFC 6749, 6750 and 7519 among it. */
const madeUp =
  /czZCaGRSa3F0Mz|mF_9\.B5f-4\.1JqM|eyJpc3MiOiJqb2Ui|example|sample|your|placeholder|replace|dummy|fake|made|test|demo|redacted|here|x{4,}|\.{3}|…|\*{3}|<|0{6,}|1234567|abcdef|a1b2c3|deadbeef|sandbox|urn:|secret|token|key/i

export const secretRules: readonly Rule[] = [
  {
    id: 'secret-in-example',
    severity: 'error',
    source: 'RFC 6750 §5.3',
    finds: 'what looks like a real key in an example',
    *check({ document }) {
      if (!document) return
      for (const [at, line] of document.lines.entries()) {
        const found = secretIn(line)
        if (found === undefined) continue
        yield {
          place: { url: document.url, line: at + 1 },
          problem: `What begins with “${found.slice(0, 4)}” looks like a real key (${found.length} characters).`,
          fix: 'If it ever was one, revoke it now. Write what nobody can take for a key.',
          text: '<your key>',
        }
      }
    },
  },
]

function secretIn(whole: string): string | undefined {
  const line = whole.slice(0, 4_096)
  for (const form of known) {
    const found = form.exec(line)?.[0]
    if (
      found !== undefined &&
      !isMadeUp(found.replace(/^(?:sk|rk|pk)_live_|^KEY|^-----BEGIN.*/, ''))
    )
      return found
  }
  for (const [, value = ''] of line.matchAll(carried)) {
    if (!isMadeUp(value) && isRandom(value)) return value
  }
  return undefined
}

function isMadeUp(text: string): boolean {
  return madeUp.test(text) || new Set(text).size < Math.min(8, text.length)
}

/** Digits among letters, no path, no name of something: words have neither. */
function isRandom(text: string): boolean {
  if (/[/.]/.test(text) && !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return false
  const kinds = [/[a-z]/, /[A-Z]/, /\d/].filter((one) => one.test(text)).length
  const changes = [...text.matchAll(/[A-Za-z]\d|\d[A-Za-z]/g)].length
  return kinds >= 2 && /\d/.test(text) && changes >= 3
}
