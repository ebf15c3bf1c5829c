import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from '@rspress/core'

const pages = join(import.meta.dirname, '.report/pages')

/** The pages of a folder whose names end so, by their headings. */
function listed(folder: string, end = '.md') {
  return readdirSync(join(pages, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(end))
    .sort((one, other) => nameOf(one).localeCompare(nameOf(other)))
    .map((name) => {
      const [, text = name] =
        /^# (.*)$/m.exec(readFileSync(join(pages, folder, name), 'utf8')) ?? []
      return { text, link: `/${folder}/${name.replace(/(index)?\.md$/, '')}` }
    })
}

/** An index comes before what it lists. */
const nameOf = (path: string) => path.replace(/index\.md$/, '')

const page = (text: string, link: string) => ({ text, link })

export default defineConfig({
  root: '.report/pages',
  outDir: 'dist',
  title: 'authmd',
  description: 'How an AI agent gets, uses and gives up a credential, without ever seeing it.',
  lang: 'en',
  themeConfig: {
    nav: [
      page('Start', '/start-ai-sdk'),
      page('Operating', '/operating'),
      page('API', '/api/'),
      page('Decisions', '/decisions/0001-shape-of-a-transition'),
    ],
    sidebar: {
      '/api/': [{ text: 'API', items: listed('api', 'index.md') }],
      '/decisions/': [{ text: 'Decisions', items: listed('decisions') }],
      '/': [
        {
          text: 'Start',
          items: [
            page('What it is', '/'),
            page('Vercel AI SDK', '/start-ai-sdk'),
            page('LangChain.js', '/start-langchain'),
            page('Mastra', '/start-mastra'),
            page('Command line and MCP', '/start-cli'),
          ],
        },
        {
          text: 'Understand',
          items: [
            page('The flow', '/flow'),
            page('Outcomes', '/outcomes'),
            page('What is said', '/texts'),
            page('Security', '/security'),
          ],
        },
        { text: 'Methods', items: listed('methods') },
        {
          text: 'Run and extend',
          items: [
            page('Operating', '/operating'),
            page('A store of your own', '/own-store'),
            page('A method of your own', '/own-method'),
            page('Recipes', '/recipes'),
          ],
        },
        {
          text: 'For publishers',
          items: [
            page("The doctor's rules", '/doctor-rules'),
            page('Versions of auth.md', '/auth-md-versions'),
            page('Errors of auth.md', '/auth-md-errors'),
          ],
        },
        { text: 'Packages', items: listed('packages') },
        {
          text: 'Project',
          items: [
            page('What is supported', '/support'),
            page('Contributing', '/contributing'),
            page('Reporting a weakness', '/security-policy'),
            page('Dependencies', '/dependencies'),
            page('Soak tests', '/soak-fleet'),
          ],
        },
      ],
    },
  },
})
