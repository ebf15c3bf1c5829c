import { randomBytes } from 'node:crypto'
import { createRedactor } from '../../packages/core/src/use/redactor.ts'
import { Secret } from '../../packages/core/src/vault/secret.ts'
import { type Goal, type Group, inTurns, timed } from './figure.ts'
import { listing, MiB } from './texts.ts'

const fast: Goal = { text: '>= 100 MB/s', holds: ({ value }) => value >= 100 }

/** Against a search for each secret just as it is: what one would write who knew of no encodings and no streams. */
export const redactor: Group = {
  name: 'redactor',
  async *figures({ quick }) {
    const text = listing(MiB / 4)
    const perSecond = ({ mean }: { mean: number }) => text.length / 1e6 / (mean / 1e3)
    const how = { rounds: quick ? 2 : 9, ms: quick ? 40 : 500, cpu: true } as const
    for (const count of [1, 100, 10_000]) {
      const values = Array.from({ length: count }, () => randomBytes(24).toString('base64url'))
      const { redact } = createRedactor(values.map((one) => new Secret(one)))
      if (redact(text).found > 0) throw new Error('the text holds a secret')
      const pairs = await inTurns(
        () => redact(text),
        () => values.reduce((rest, one) => rest.replaceAll(one, '[secret]'), text),
        how,
      )
      const name = `redactor, ${count} secrets`
      const goal = count === 100 ? fast : undefined
      yield timed(name, 'MB/s', 'replaceAll for each', pairs, perSecond, goal)
    }
  },
}
