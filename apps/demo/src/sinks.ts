import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodings, holds } from '@authmd/canary'

/** Everything that a secret could have leaked into, by the name of the place. */
export class Sinks {
  readonly #texts = new Map<string, string[]>()

  add(sink: string, value: unknown): void {
    const texts = this.#texts.get(sink) ?? []
    texts.push(typeof value === 'string' ? value : JSON.stringify(value))
    this.#texts.set(sink, texts)
  }

  /** Reads all files of a folder as they lie on the disk. */
  async addFiles(sink: string, dir: string): Promise<void> {
    const entries = await readdir(dir, { recursive: true, withFileTypes: true })
    this.add(sink, '')
    for (const entry of entries) {
      if (!entry.isFile()) continue
      const file = join(entry.parentPath, entry.name)
      this.add(sink, file)
      this.add(sink, (await readFile(file)).toString('latin1'))
    }
  }

  /**
   * Looks for each secret in each sink, in every encoding. `control` was put into each sink on the way
   * that everything else takes, and is put into a copy of each in every encoding: a search that does not
   * find it everywhere proves nothing.
   */
  search(
    secrets: readonly string[],
    control: string,
  ): {
    readonly where: readonly string[]
    readonly secretSeen: boolean
    readonly sinksSearched: number
    readonly bytesSearched: number
    readonly controlFound: boolean
  } {
    const where: string[] = []
    let bytesSearched = 0
    let controlFound = this.#texts.size > 0
    for (const [sink, texts] of this.#texts) {
      const whole = texts.join('\n')
      bytesSearched += Buffer.byteLength(whole)
      if (secrets.some((secret) => holds(whole, secret))) where.push(sink)
      const middle = Math.floor(whole.length / 2)
      const clean = whole.replaceAll(control, '')
      controlFound &&= holds(whole, control)
      controlFound &&= encodings(control).every((form) =>
        holds(clean.slice(0, middle) + form + clean.slice(middle), control),
      )
    }
    const sinksSearched = this.#texts.size
    return { where, secretSeen: where.length > 0, sinksSearched, bytesSearched, controlFound }
  }
}
