const unseen = [
  { from: '<!--', to: /-->/g },
  { from: '<script', to: /<\/script/gi },
  { from: '<style', to: /<\/style/gi },
  { from: '<template', to: /<\/template/gi },
]

/**
 * What a reader sees of an HTML page, white space made even: pages are rarely the same byte for byte
 * twice, and what was agreed to is what they say. Linear in the length of the page.
 */
export function visibleText(html: string): string {
  const seen: string[] = []
  for (let at = 0; at < html.length; ) {
    const tag = html.indexOf('<', at)
    seen.push(html.slice(at, tag === -1 ? html.length : tag), ' ')
    at = tag === -1 ? html.length : afterTag(html, tag)
  }
  return seen.join('').replace(/\s+/g, ' ').trim()
}

function afterTag(html: string, tag: number): number {
  const block = unseen.find(({ from }) => html.slice(tag, tag + from.length).toLowerCase() === from)
  let from = tag
  if (block) {
    block.to.lastIndex = tag
    const end = block.to.exec(html)
    if (end === null) return html.length
    from = end.index
  }
  const close = html.indexOf('>', from)
  return close === -1 ? html.length : close + 1
}
