import type { DescribedAnswer, DescribedField, DescribedRequest } from '../../profile.ts'
import { credentialIn, mergeAnswers, statusIn } from './answers.ts'
import { contentsOf, fieldOf, noted, requirement } from './fields.ts'
import type { Described, Piece } from './in-code.ts'

const maxFields = 60
const maxHeaders = 20

/** All that was read of one request so far. */
export class Draft {
  body: DescribedRequest['body']
  answer: DescribedAnswer | undefined
  private readonly fields = new Map<string, DescribedField>()
  private readonly headers = new Map<string, string>()

  get hasFields(): boolean {
    return this.fields.size > 0
  }

  hasField(name: string): boolean {
    return this.fields.has(name)
  }

  /** Takes over what a block of code says; `line` is the line of the block's first. */
  addCode({ headers, body, answer }: Described, line: number): void {
    for (const header of headers) {
      const colon = header.indexOf(':')
      const name = header.slice(0, colon).trim()
      if (colon <= 0 || /^host$/i.test(name) || this.headers.size >= maxHeaders) continue
      if (!this.headers.has(name)) this.headers.set(name, header.slice(colon + 1).trim())
    }
    if (body) this.addBody(body, line)
    if (answer) this.addAnswer(answer, line)
  }

  addBody({ text, line: at }: Piece, line: number): void {
    const contents = contentsOf(text, line + at)
    if (!contents) return
    this.body ??= contents.form
    for (const field of contents.fields) this.addField(field)
  }

  addField(field: DescribedField): void {
    const known = this.fields.get(field.name)
    if (!known && this.fields.size >= maxFields) return
    // The place where it was named first, with what was said later.
    this.fields.set(field.name, known ? { ...field, ...known } : field)
  }

  /** What a table, a list or a sentence says of a field. */
  describeField(
    name: string,
    words: string,
    line: number,
    required: boolean | undefined = requirement(words),
  ): void {
    this.addField(fieldOf(name, undefined, undefined, line))
    const field = this.fields.get(name)
    if (!field) return
    const told = noted(field, words)
    this.fields.set(name, { ...told, ...(required !== undefined && { required }) })
  }

  addAnswer({ text, line: at }: Piece, line: number, told?: number): void {
    const status = statusIn(text.split('\n')[0] ?? '') ?? told
    const contents = contentsOf(text, line + at)
    const fields = contents?.form === 'json' ? contents.fields.map(({ name }) => name) : []
    this.addAnswerFields(fields, line + at, status)
  }

  addAnswerFields(fields: readonly string[], line: number, status?: number): void {
    if (fields.length === 0 && status === undefined) return
    const credential = credentialIn(fields)
    this.answer = mergeAnswers(this.answer, {
      fields,
      line,
      ...(status !== undefined && { status }),
      ...(credential !== undefined && { credential }),
    })
  }

  shownOnce(line: number): void {
    this.answer = mergeAnswers(this.answer, { fields: [], line, shownOnce: true })
  }

  /** What it came to; nothing where only method and address are known. */
  finish(): Omit<DescribedRequest, 'method' | 'url'> {
    const headers = Array.from(this.headers, ([name, value]) => ({ name, value }))
    const fields = [...this.fields.values()]
    return {
      ...(headers.length > 0 && { headers }),
      ...(this.body && { body: this.body }),
      ...(fields.length > 0 && { fields }),
      ...(this.answer && { answer: this.answer }),
    }
  }
}
