import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>

export function page(title: string, content: unknown): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>body { font: 1rem/1.5 sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }
output { font-size: 2rem; letter-spacing: .2em }</style>
</head>
<body>
<h1>${title}</h1>
${content}
<hr><p><small>This is a sandbox on your own machine.</small></p>
</body>
</html>
`
}

export function messagePage(title: string, message: string): Html {
  return page(title, html`<p role="alert">${message}</p>`)
}
