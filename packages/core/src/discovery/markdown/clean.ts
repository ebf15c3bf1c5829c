/** Controls but for tab and line feed, formats (zero width, bidirectional, tags), and what else shows nothing; emoji keep their selector. */
const hidden =
  /(?![\t\n])\p{Cc}|(?!\ufe0f)\p{Default_Ignorable_Code_Point}|\p{Cf}|\p{Co}|\p{Cs}|\u2028|\u2029/gu

/** Removes control, zero-width, bidirectional and tag characters: what a reader does not see. */
export function withoutHidden(text: string): string {
  return text.replace(hidden, '')
}
