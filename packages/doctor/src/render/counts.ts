import type { Report } from '../report.ts'

/** `2 errors, 1 warning, no hints`. */
export function countsOf({ counts }: Report): string {
  const some = (count: number, word: string) =>
    `${count === 0 ? 'no' : count} ${word}${count === 1 ? '' : 's'}`
  return [
    some(counts.error, 'error'),
    some(counts.warning, 'warning'),
    some(counts.hint, 'hint'),
  ].join(', ')
}
