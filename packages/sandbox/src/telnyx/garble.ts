// Cyrillic letters that look like Latin ones.
const lookAlikes: Record<string, string> = {
  a: '\u0430',
  c: '\u0441',
  e: '\u0435',
  i: '\u0456',
  o: '\u043e',
  p: '\u0440',
  x: '\u0445',
  y: '\u0443',
  A: '\u0410',
  C: '\u0421',
  E: '\u0415',
  H: '\u041d',
  K: '\u041a',
  M: '\u041c',
  O: '\u041e',
  T: '\u0422',
}
const signs = '^~|{}[]_\\'

/** Makes a text hard for programs and easy for language models; digits stay as they are. */
export function garble(text: string, random: () => number): string {
  return text.replace(/[a-z]/gi, (letter) => {
    const cased = random() < 0.5 ? letter.toUpperCase() : letter.toLowerCase()
    const shown = random() < 0.2 ? (lookAlikes[cased] ?? cased) : cased
    return random() < 0.12 ? shown + signs[Math.floor(random() * signs.length)] : shown
  })
}

const small =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  )
const tens = '_ _ twenty thirty forty fifty sixty seventy eighty ninety'.split(' ')

/** 0 to 99 in English. */
export function numberWord(n: number): string {
  if (n < 20) return small[n] ?? ''
  const rest = n % 10
  return `${tens[Math.floor(n / 10)]}${rest === 0 ? '' : `-${small[rest]}`}`
}
