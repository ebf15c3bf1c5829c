import type { Hono } from 'hono'
import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import type { SandboxContext, SandboxEnv } from '../server.ts'
import { agentSignupMd } from './agent-signup-md.ts'
import { authMd } from './auth-md.ts'
import type { Telnyx } from './state.ts'

/** A whole HTML page. */
export function page(title: string, content: unknown): HtmlEscapedString {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>body { font: 1rem/1.5 sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
code { overflow-wrap: anywhere } td, th { text-align: left; padding-right: 1rem }</style>
</head>
<body>
<h1>${title}</h1>
${content}
<hr><p><small>This is a sandbox on your own machine. It is not Telnyx.</small></p>
</body>
</html>
` as HtmlEscapedString
}

export function htmlNotFound(c: SandboxContext): Response | Promise<Response> {
  return c.html(page('Page not found', html`<p>There is nothing at this address.</p>`), 404)
}

function markdown(c: SandboxContext, text: string): Response {
  return c.body(text, 200, { 'content-type': 'text/markdown; charset=utf-8' })
}

/** The documentation site. */
export function developersRoutes(app: Hono<SandboxEnv>, { server, urls }: Telnyx): void {
  const { developers, site, api } = urls
  app.get(
    '/auth.md',
    server.endpoint('auth_md', (c) => markdown(c, authMd(urls))),
  )
  app.get(
    '/llms.txt',
    server.endpoint('llms_txt', (c) =>
      c.text(`# Telnyx (sandbox)

> A telephone company's API, imitated on this machine.

- [Agent authentication](${developers}/auth.md): credentials from discovery to revocation
- [Agent signup](${site}/agent-signup.md): registration by program
- API base: ${api}/v2
`),
    ),
  )
  app.get(
    '/',
    server.endpoint('developers_root', (c) =>
      c.html(page('Developers', html`<p>See <a href="/auth.md">auth.md</a>.</p>`)),
    ),
  )
  app.notFound(server.endpoint('not_found', htmlNotFound))
}

/** The company's site. */
export function siteRoutes(app: Hono<SandboxEnv>, telnyx: Telnyx): void {
  const { server, urls, terms } = telnyx
  const { api, developers, portal, site } = urls
  app.get(
    '/agent-signup.md',
    server.endpoint('agent_signup_md', (c) => markdown(c, agentSignupMd(telnyx))),
  )
  app.get(
    '/.well-known/agent-access.json',
    server.endpoint('agent_access', (c) =>
      c.json({
        name: 'Telnyx (sandbox)',
        api_base: `${api}/v2`,
        documentation: `${developers}/auth.md`,
        signup: `${site}/agent-signup.md`,
        mcp: `${api}/v2/mcp`,
      }),
    ),
  )
  const text = (name: string, path: string, title: string, words: string) =>
    app.get(
      path,
      server.endpoint(name, (c) => c.html(page(title, html`<p>${words}</p>`))),
    )
  text(
    'terms',
    new URL(terms.terms).pathname,
    'Terms and conditions',
    'Whoever uses the sandbox agrees that nothing in it is real: no calls, no numbers, no money.',
  )
  text(
    'terms_eu',
    new URL(terms.eu).pathname,
    'Terms and conditions for the European Union',
    'The same as everywhere else, with the right to withdraw within 14 days.',
  )
  text(
    'privacy',
    new URL(terms.privacy).pathname,
    'Privacy policy',
    'What is sent to the sandbox stays in its memory until it is closed.',
  )
  app.get(
    '/sign-up',
    server.endpoint('sign_up_page', (c) =>
      c.html(
        page('Create an account', html`<p>Sign in at the <a href="${portal}">portal</a>.</p>`),
      ),
    ),
  )
  app.get(
    '/',
    server.endpoint('site_root', (c) =>
      c.html(
        page(
          'Telnyx (sandbox)',
          html`<ul>
<li><a href="${developers}/auth.md">How agents authenticate</a></li>
<li><a href="/agent-signup.md">Sign up as an agent</a></li>
<li><a href="${portal}">Portal</a></li>
</ul>`,
        ),
      ),
    ),
  )
  app.notFound(server.endpoint('not_found', htmlNotFound))
}

/** The API host's metadata. */
export function metadataRoutes(app: Hono<SandboxEnv>, { server, urls }: Telnyx): void {
  const { api, developers } = urls
  app.get(
    '/.well-known/oauth-protected-resource',
    server.endpoint('prm', (c) => c.json({ resource: api, authorization_servers: [api] })),
  )
  // It says nothing of use to an agent: no `agent_auth`, no grant that one could ask for.
  app.get(
    '/.well-known/oauth-authorization-server',
    server.endpoint('as_metadata', (c) =>
      c.json({
        issuer: api,
        response_types_supported: [],
        grant_types_supported: [],
        service_documentation: developers,
      }),
    ),
  )
}
