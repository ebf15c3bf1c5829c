import { z } from 'zod'
import { ownLine } from '../tools/service-text.ts'
import { type CleanAnswer, withoutSecrets } from '../use/answer.ts'
import { type Redactor, redactionText } from '../use/redactor.ts'

const maxBlocks = 1_000

const textual = z.string().optional().catch(undefined)
const block = z.object({
  type: z.string(),
  text: textual,
  mimeType: textual,
  uri: textual,
  resource: z.object({ uri: textual }).optional().catch(undefined),
})
const shape = z.object({
  content: z.array(z.unknown()).catch([]),
  structuredContent: z.unknown().optional(),
  isError: z.boolean().catch(false),
})

/**
 * What a tool gave back as text without secrets. In the place of what is no text stands a note of it;
 * structured content, which repeats the text, is shown where there is no text.
 */
export function readResult(
  result: unknown,
  redactor: Redactor,
): { readonly clean: CleanAnswer; readonly isError: boolean } {
  const { content, structuredContent, isError } = shape.parse(result)
  const parts = content.slice(0, maxBlocks).map(blockText)
  if (structuredContent !== undefined) {
    const said = content.some((one) => block.safeParse(one).data?.text !== undefined)
    parts.push(said ? '[structured content, not shown]' : JSON.stringify(structuredContent))
  }
  const whole = parts.join('\n')
  // The fetch has taken out what it knew, byte by byte.
  const before = whole.split(redactionText).length - 1
  const { texts, redacted, unseen } = withoutSecrets([whole], redactor, !isError)
  const [text = ''] = texts
  const truncated = content.length > maxBlocks
  const clean = { status: 200, headers: {}, text, redacted: before + redacted, unseen, truncated }
  return { clean, isError }
}

function blockText(one: unknown): string {
  const { type, text, mimeType, uri, resource } = block.safeParse(one).data ?? { type: '' }
  const note = (what: string, which = '') => {
    const name = which === '' ? '' : ` ${ownLine(which, 200)}`
    return `[${what}${name}, not shown]`
  }
  switch (type) {
    case 'text':
      return text ?? note('text')
    case 'image':
    case 'audio':
      return note(type, mimeType)
    case 'resource':
      return note('resource', resource?.uri)
    case 'resource_link':
      return note('link to a resource', uri)
    default:
      return note('content of another kind')
  }
}
