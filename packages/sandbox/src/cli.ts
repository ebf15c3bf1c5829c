#!/usr/bin/env node
import { parseArgs } from 'node:util'
import type { AuthMdOptions, AuthMdVersion } from './auth-md/options.ts'
import { startSandbox } from './sandbox.ts'

const usage = `authmd-sandbox: services for agents to sign up at, on this machine

  --port N   listen on 127.0.0.1:N (8787 if absent, 0 for any)
  --auth-md VERSION
             serve auth.md of this version (v0.7 if absent); may come several times
  --help     this text
`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      'auth-md': { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean' },
    },
  })
  if (values.help) {
    process.stdout.write(usage)
    return
  }
  const port = Number(values.port ?? 8787)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error('--port is 0 to 65535')
  // What is no version is refused by the sandbox itself.
  const wished: AuthMdOptions[] = values['auth-md'].map((version) => ({
    version: version as AuthMdVersion,
  }))
  const [first = {}, ...rest] = wished
  const sandbox = await startSandbox({ port, authMd: [first, ...rest] })
  const services = sandbox.authMd.map(({ version, api }) => [version, api] as const)
  const urls = { ...sandbox.urls, ...Object.fromEntries(services) }
  const lines = Object.entries(urls).map(([name, url]) => `  ${name.padEnd(16)} ${url}`)
  process.stdout.write(`The sandbox is running:

${lines.join('\n')}

Try it:
  curl ${urls.developers}/auth.md
  curl -i ${urls.authMd}/api/resource
  curl -X POST ${urls.api}/v2/bot_challenge
  curl '${urls.mail}/messages?to=ada@agents.example'
  curl ${urls.control}/log
  curl -d '{"name":"api_keys","cut":"after","times":1}' ${urls.control}/faults
Make and delete keys in a browser: ${urls.portal}/#/app/api-keys

Where *.localhost is not found by name, it is always 127.0.0.1:${sandbox.port} with that Host header.
Ctrl-C ends it.
`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void sandbox.close())
  }
}

main().catch((error: unknown) => {
  const { code, port, message } = error as NodeJS.ErrnoException & { port?: number }
  const taken = `Port ${port} is taken. Name another with --port; 0 takes any free one.`
  process.stderr.write(`${code === 'EADDRINUSE' ? taken : message}\n`)
  process.exitCode = 1
})
