/**
 * Letters of other scripts that are drawn like Latin ones, as far as host names may hold them. What is
 * not listed stays different: it is shown in punycode, which nobody mistakes for a name.
 */
const drawnAlike: Readonly<Record<string, string>> = {
  a: 'аɑα',
  b: 'ьƅ',
  c: 'сϲᴄ',
  d: 'ԁɗ',
  e: 'еҽє',
  f: 'ƒ',
  g: 'ɡց',
  h: 'һհ',
  i: 'іıιɩɪ',
  j: 'јϳ',
  k: 'кκ',
  l: 'ӏⅼǀ',
  m: 'мⅿ',
  n: 'пոη',
  o: 'оοօσ',
  p: 'рρ',
  q: 'ԛզ',
  r: 'гꭇ',
  s: 'ѕꜱ',
  t: 'тτ',
  u: 'υսʋ',
  v: 'ѵνᴠ',
  w: 'ѡԝɯω',
  x: 'хχ',
  y: 'уүγ',
  z: 'ᴢ',
}
const latin = new Map(
  Object.entries(drawnAlike).flatMap(([letter, others]) =>
    [...others].map((other) => [other, letter] as const),
  ),
)

/**
 * What a domain looks like at a glance: two domains that a person may take for each other have the
 * same skeleton. Only shapes count (`0` and `o`; `1`, `l` and `i`; `rn` and `m`; `vv` and `w`; accents;
 * letters of other scripts), so that an honest neighbour with another letter is another domain.
 *
 * @example skeleton('te1nyx.com') === skeleton('telnyx.com') // true
 */
export function skeleton(domain: string): string {
  const shown = domain.toLowerCase().split('.').map(fromPunycode).join('.')
  return [...shown.normalize('NFKD').replace(/\p{M}/gu, '')]
    .map((letter) => latin.get(letter) ?? letter)
    .join('')
    .replaceAll('0', 'o')
    .replaceAll(/[1i|]/g, 'l')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
}

/** The label that `xn--…` stands for (RFC 3492); what cannot be read stays as it is. */
function fromPunycode(label: string): string {
  if (!label.startsWith('xn--')) return label
  const text = label.slice(4)
  const cut = text.lastIndexOf('-')
  const points = Array.from(cut > 0 ? text.slice(0, cut) : '', (one) => one.charCodeAt(0))
  const digits = [...text.slice(cut > 0 ? cut + 1 : 0)]
  let [at, code, bias] = [0, 128, 72]
  while (digits.length > 0) {
    const before = at
    for (let weight = 1, k = 36; ; k += 36) {
      const digit = Number.parseInt(base36(digits.shift() ?? ''), 36)
      if (Number.isNaN(digit)) return label
      at += digit * weight
      const threshold = Math.min(26, Math.max(1, k - bias))
      if (digit < threshold) break
      weight *= 36 - threshold
    }
    bias = adapted(at - before, points.length + 1, before === 0)
    code += Math.floor(at / (points.length + 1))
    at %= points.length + 1
    if (code > 0x10ffff) return label
    points.splice(at++, 0, code)
  }
  return String.fromCodePoint(...points)
}

/** Punycode counts a to z before 0 to 9, `parseInt` after. */
function base36(digit: string): string {
  if (/^[a-z]$/.test(digit)) return (digit.charCodeAt(0) - 97).toString(36)
  return /^\d$/.test(digit) ? (Number(digit) + 26).toString(36) : ''
}

function adapted(delta: number, count: number, first: boolean): number {
  let rest = Math.floor(delta / (first ? 700 : 2))
  rest += Math.floor(rest / count)
  let k = 0
  for (; rest > 455; k += 36) rest = Math.floor(rest / 35)
  return k + Math.floor((36 * rest) / (rest + 38))
}
