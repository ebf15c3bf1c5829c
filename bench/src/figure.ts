import { Bench } from 'tinybench'

/** What a figure has to be, and whether it is. */
export interface Goal {
  readonly text: string
  holds(figure: { readonly value: number; readonly ratio: number | null }): boolean
}

/** One measured thing beside its reference, both of one run. */
export interface Figure {
  readonly name: string
  readonly unit: string
  readonly value: number
  /** What the same costs without us; null where nothing is comparable. */
  readonly reference: number | null
  /** What the reference is. */
  readonly against: string
  /** Value over reference: the median of the rounds. */
  readonly ratio: number | null
  /** The smallest and the largest ratio of a round. */
  readonly spread?: readonly [number, number]
  readonly goal?: Goal
  /** Counted or weighed, not timed: the same in every run, so that a budget can be set. */
  readonly exact?: true
}

export interface Settings {
  readonly quick: boolean
  /** Only figures that are the same in every run. */
  readonly exactOnly: boolean
  /** Tells of what is left out, and why. */
  readonly note: (line: string) => void
}

export interface Group {
  readonly name: string
  figures(settings: Settings): AsyncIterable<Figure>
}

export const atMost = (limit: number): Goal => ({
  text: `<= ${limit}`,
  holds: ({ value }) => value <= limit,
})

export const ratioAtMost = (limit: number, written: string = String(limit)): Goal => ({
  text: `ratio <= ${written}`,
  holds: ({ ratio }) => ratio !== null && ratio <= limit,
})

export const ratioAtLeast = (limit: number): Goal => ({
  text: `ratio >= ${limit}`,
  holds: ({ ratio }) => ratio !== null && ratio >= limit,
})

/** Something that was counted, beside what it is compared with. */
export function counted(
  name: string,
  unit: string,
  value: number,
  [against, reference]: readonly [string, number | null],
  goal?: Goal,
): Figure {
  const ratio = reference === null ? null : value / reference
  return { name, unit, value, reference, against, ratio, ...(goal && { goal }), exact: true }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const high = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2
}

/** Milliseconds that one call takes: the median of a round's calls, and their mean. */
export interface Timing {
  readonly median: number
  readonly mean: number
}

type Work = () => unknown

export interface Rounds {
  readonly rounds: number
  /** Milliseconds that each of the two is run for in a round. */
  readonly ms: number
  /** The processor's time of this thread alone, for work that waits for nothing: whatever else the machine does. */
  readonly cpu?: true
}

/**
 * Times two things in turns, the one that goes first changing from round to round, so that whatever else
 * the machine does meets both. One round before them warms up and is not counted.
 */
export async function inTurns(ours: Work, theirs: Work, { rounds, ms, cpu }: Rounds) {
  const now = cpu ? threadMs : undefined
  const pairs: { ours: Timing; theirs: Timing }[] = []
  for (let round = 0; round <= rounds; round++) {
    const first = round % 2 === 0
    const bench = new Bench({
      time: ms,
      iterations: 1,
      warmup: false,
      throws: true,
      ...(now && { now }),
    })
    bench.add(first ? 'ours' : 'theirs', first ? ours : theirs)
    bench.add(first ? 'theirs' : 'ours', first ? theirs : ours)
    await bench.run()
    const timing = (name: string): Timing => {
      const result = bench.getTask(name)?.result
      if (result?.state !== 'completed') throw new Error(`${name} did not run`)
      return { median: result.latency.p50, mean: result.latency.mean }
    }
    if (round > 0) pairs.push({ ours: timing('ours'), theirs: timing('theirs') })
  }
  return pairs
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1e3
}

type Pairs = Awaited<ReturnType<typeof inTurns>>

/** A figure of timed pairs: `of` makes of a timing what is shown, such as MB/s. */
export function timed(
  name: string,
  unit: string,
  against: string,
  pairs: Pairs,
  of: (timing: Timing) => number,
  goal?: Goal,
): Figure {
  const ratios = pairs.map(({ ours, theirs }) => of(ours) / of(theirs))
  return {
    name,
    unit,
    value: median(pairs.map(({ ours }) => of(ours))),
    reference: median(pairs.map(({ theirs }) => of(theirs))),
    against,
    ratio: median(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
    ...(goal && { goal }),
  }
}
