import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table'
import { gfmTable } from 'micromark-extension-gfm-table'
import { readDocument } from '../../packages/core/src/discovery/markdown/read.ts'
import { type Goal, type Group, inTurns, median, timed } from './figure.ts'
import { authMdText, hostile, MiB } from './texts.ts'

const linear: Goal = { text: 'exponent <= 1.1', holds: ({ value }) => value <= 1.1 }

const read = (text: string) => readDocument(text, { url: 'https://vendor.example/auth.md' })
const parse = (text: string) =>
  fromMarkdown(text, { extensions: [gfmTable()], mdastExtensions: [gfmTableFromMarkdown()] })

/** How the reader's time grows with the size of what it reads, and what it takes beside the bare parser. */
export const reader: Group = {
  name: 'reader',
  async *figures({ quick }) {
    const how = { rounds: quick ? 2 : 7, ms: quick ? 40 : 500, cpu: true } as const
    const perByte = (size: number) => (timing: { mean: number }) =>
      (timing.mean * 1e3) / (size / 1024)
    for (const size of quick ? [16, 64] : [16, 64, 256, 1024]) {
      const text = authMdText(size * 1024)
      const pairs = await inTurns(
        () => read(text),
        () => parse(text),
        how,
      )
      yield timed(`reader, ${size} kB`, 'us/kB', 'the bare parser', pairs, perByte(size * 1024))
    }
    for (const [kind, textOf] of [['ordinary', authMdText] as const, ...hostile]) {
      yield await growth(`reader, ${kind}, growth`, textOf, quick)
    }
  },
}

/** The exponent e of time = c * size^e between a quarter and the whole of 1 MiB. */
async function growth(name: string, textOf: (bytes: number) => string, quick: boolean) {
  const [small, large] = [textOf(MiB / 4), textOf(MiB)]
  const how = { rounds: quick ? 1 : 7, ms: quick ? 40 : 500, cpu: true } as const
  const pairs = await inTurns(
    () => read(large),
    () => read(small),
    how,
  )
  const exponents = pairs.map(({ ours, theirs }) => Math.log(ours.mean / theirs.mean))
  const values = exponents.map((one) => one / Math.log(large.length / small.length))
  return {
    name,
    unit: 'exponent',
    value: median(values),
    reference: 1,
    against: 'linear',
    ratio: median(values),
    spread: [Math.min(...values), Math.max(...values)] as const,
    goal: linear,
  }
}
