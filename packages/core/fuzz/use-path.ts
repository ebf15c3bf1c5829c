import fc from 'fast-check'
import { audienceOf } from '../src/use/audience.ts'
import { prepareUse } from '../src/use/request.ts'
import type { Credential } from '../src/vault/credentials.ts'
import { check, target } from './target.ts'

const piece = fc.constantFrom(
  ...['/', '//', '\\', '.', '..', '/../', '/./', '%2e', '%2E%2e', '%2f', '%5C', '%252e', '%00'],
  ...['v2', 'v2x', 'V2', 'a', 'b', 'things', '{id}', ';x=1', '?', '#', '@', ':', '://', '&', '='],
  ...['https:', 'evil.example', '\t', '\n', ' ', '．', '。', '／', '%c0%ae', '%ef%bc%8f', 'é', '%'],
  ...['x?y=/../z', '_method=DELETE', '*', '~', '%7e', '%20', '+', '\ud800', '%E3%80%82', '%3b'],
)
const path = fc.oneof(
  fc.array(piece, { maxLength: 8 }).map((parts) => `/v2${parts.join('')}`),
  fc.array(piece, { maxLength: 8 }).map((parts) => `/v2/a/${parts.join('')}`),
  fc.array(piece, { maxLength: 8 }).map((parts) => parts.join('')),
)
const bases = [
  ['https://api.svc.example/v2'],
  ['https://api.svc.example'],
  ['https://api.svc.example/v2/a', 'https://files.svc.example:8443/v2/a/things'],
]

/** A path as the most willing server would read it. */
function served(pathname: string): readonly string[] {
  let read = pathname
  for (let layer = 0; layer < 4; layer++) read = percentDecoded(read)
  const out: string[] = []
  for (const segment of read.normalize('NFKC').split(/[/\\]/)) {
    const name = segment.split(';')[0] ?? ''
    if (name === '..') out.pop()
    else if (name !== '.' && name !== '') out.push(name)
  }
  return out
}

function percentDecoded(text: string): string {
  const bytes = text.replace(/%c0%ae/gi, '.').replace(/%([\da-f]{2})/gi, (whole, pair: string) => {
    const byte = Number.parseInt(pair, 16)
    return byte < 0x80 ? String.fromCharCode(byte) : whole
  })
  try {
    return decodeURIComponent(bytes)
  } catch {
    return bytes
  }
}

/** A path that `use` sends lies below the audience, however a server reads it. */
export const usePathTarget = target({
  name: 'use-path',
  runsInTest: 300,
  arbitrary: fc.record({
    path,
    bases: fc.constantFrom(...bases),
    query: fc.option(
      fc.dictionary(fc.constantFrom('a', '_method', '_METHOD', '#', '&x'), fc.string()),
      { nil: undefined },
    ),
  }),
  async property({ path, bases, query }) {
    const credential = { audience: audienceOf(bases) } as Credential
    const prepared = await prepareUse({ path, query }, credential, () => false)
    if ('code' in prepared) return
    const { url } = prepared
    check(url.username === '' && url.password === '' && url.hash === '', 'odd parts:', url.href)
    const inside = bases.map((one) => new URL(one)).filter(({ origin }) => origin === url.origin)
    const reached = inside.some((base) => {
      const given = served(url.pathname)
      return served(base.pathname).every((segment, at) => segment === given[at])
    })
    check(reached, 'outside of the audience:', path, url.href)
    const hidden = [...url.searchParams.keys()].some((name) => name.toLowerCase() === '_method')
    check(!hidden, 'another method is asked for:', url.href)
    const [asked = ''] = path.toWellFormed().replace(/ +$/, '').split(/[?#]/)
    const kept = served(asked).join('/') === served(url.pathname).join('/')
    check(kept, 'another path than asked for:', path, url.href)
  },
})
