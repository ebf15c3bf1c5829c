/**
 * What we are willing to parse. Markdown parsers are linear for honest text and quadratic for text
 * made for it, so the dear constructs are counted before the parser sees them, and what exceeds the
 * budget is dropped. The largest published auth.md we know spends 15 % of it.
 */
const maxBytes = 1_048_576
const maxLine = 8_192
const maxIndent = 40
const maxMarkers = 10
const maxNested = 800
const maxDefinitions = 300
const maxUnderlines = 100
const maxMarksPerBlock = 800
const maxDeclarationsPerBlock = 20
const maxBlock = 12_000
const maxLinesPerBlock = 300
const maxCost = 350_000

/** A text made safe to parse: as many lines as before, up to where it was cut. */
export interface Guarded {
  readonly text: string
  /** The YAML between two `---` at the very top, with the line it starts at. */
  readonly frontMatter?: { readonly text: string; readonly line: number }
  readonly warnings: readonly string[]
}

const marks = /[[\]*`<!]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g
const dear = /[>&\\|~]/g
const container = /^(?:[ \t]{0,3}(?:[-+*>]|\d{1,9}[.)])(?:[ \t]|(?=>)|$)|[ \t]*>)/

/** Cuts size, depth and density to the budget. Line numbers of what stays are unchanged. */
export function guard(source: string): Guarded {
  const warnings = new Set<string>()
  let text = source
  if (text.length > maxBytes) {
    text = text.slice(0, maxBytes)
    warnings.add('The text is longer than 1 MiB; the rest was not read.')
  }
  const lines = text.split(/\r\n|\n|\r/)
  const frontMatter = takeFrontMatter(lines)
  const block = { marks: 0, declarations: 0, length: 0, lines: 0 }
  let cost = 0
  let nested = 0
  let definitions = 0
  let underlines = 0
  for (let index = 0; index < lines.length; index++) {
    let line = lines[index] ?? ''
    if (line.length > maxLine) {
      line = line.slice(0, maxLine)
      warnings.add('Very long lines were cut.')
    }
    const { depth, shallow } = shallower(line)
    nested += depth
    if (depth > maxMarkers || nested > maxNested) {
      line = shallow
      warnings.add('Deeply nested lists or quotes were flattened.')
    }
    block.length += line.length
    block.lines += 1
    if (block.length > maxBlock || block.lines > maxLinesPerBlock) {
      line = ''
      warnings.add('A very long block was split.')
    }
    if (line.trim() === '') Object.assign(block, { marks: 0, declarations: 0, length: 0, lines: 0 })
    const count = line.match(marks)?.length ?? 0
    block.marks += count
    block.declarations += line.includes('<!') ? line.split('<!').length - 1 : 0
    if (block.marks > maxMarksPerBlock || block.declarations > maxDeclarationsPerBlock) {
      line = line.replace(marks, ' ')
      warnings.add('A block with too much markup was read as plain text.')
    }
    if (/^[ >]{0,9}(?:=+|-+)\s*$/.test(line)) {
      underlines += 1
      if (underlines > maxUnderlines) line = ''
    }
    if (/^[ >]{0,9}\[[^\]]*\]:/.test(line)) {
      definitions += 1
      if (definitions > maxDefinitions) {
        line = ''
        warnings.add('Too many link definitions; the rest was not read.')
      }
    }
    lines[index] = line
    const others = line.match(dear)?.length ?? 0
    cost += line.length + 30 + 30 * count + 10 * others + 150 * depth
    if (cost > maxCost) {
      lines.length = index
      warnings.add(`The text is too large or too dense; it was read up to line ${index}.`)
    }
  }
  return {
    text: lines.join('\n'),
    ...(frontMatter && { frontMatter }),
    warnings: [...warnings],
  }
}

/** How deep the containers of a line go, and the line without all but the first marker. */
function shallower(line: string): { depth: number; shallow: string } {
  const indent = line.length - line.trimStart().length
  let rest = line
  let markers = 0
  let first = ''
  for (let match = container.exec(rest); match && markers < maxLine; match = container.exec(rest)) {
    if (markers === 0) first = match[0]
    markers += 1
    rest = rest.slice(match[0].length)
  }
  const deepIndent = indent > maxIndent ? maxMarkers + 1 : 0
  if (markers === 0 && deepIndent === 0) {
    const listed = /^[ \t]+(?:[-+*]|\d{1,9}[.)])[ \t]/.test(line)
    return { depth: listed ? Math.ceil(indent / 2) : 0, shallow: line.trimStart() }
  }
  return {
    depth: Math.max(deepIndent, markers - 1),
    shallow: first.trimStart() + rest.trimStart(),
  }
}

/** Takes front matter out and leaves blank lines, since Markdown would read it as a heading. */
function takeFrontMatter(lines: string[]): { text: string; line: number } | undefined {
  if (lines[0]?.replace(/^\uFEFF/, '').trimEnd() !== '---') return undefined
  const end = lines.slice(1, 200).findIndex((line) => line.trimEnd() === '---') + 1
  if (end === 0) return undefined
  const text = lines.slice(1, end).join('\n')
  lines.fill('', 0, end + 1)
  return { text, line: 2 }
}
