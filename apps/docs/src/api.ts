import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Application } from 'typedoc'

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, Source>>>>
}
type Source = string | { readonly node: string }

/** What users import, and the source that it stands for: all that published packages export. */
export interface Entry {
  readonly name: string
  readonly source: string
}

export function entryPoints(root: string): readonly Entry[] {
  return globSync('packages/*/package.json', { cwd: root })
    .sort()
    .flatMap((path) => {
      const manifest = JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest
      if (manifest.private) return []
      return Object.entries(manifest.exports ?? {}).flatMap(([way, target]) => {
        const found = typeof target === 'string' ? undefined : target['@authmd/source']
        if (found === undefined) return []
        const source = join(root, dirname(path), typeof found === 'string' ? found : found.node)
        return { name: join(manifest.name, way), source }
      })
    })
}

/** Writes one page for each entry point. Throws where a doc comment names what there is not. */
export async function writeApi(entries: readonly Entry[], out: string): Promise<void> {
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: entries.map(({ source }) => source),
    tsconfig: join(import.meta.dirname, '../tsconfig.api.json'),
    out,
    name: 'All packages',
    logLevel: 'Error',
    readme: 'none',
    disableSources: true,
    excludeInternal: true,
    excludePrivate: true,
    // The types are checked by the compiler that the project uses.
    skipErrorChecking: true,
    validation: { notExported: false, invalidLink: true },
    ...pageOptions,
  })
  const project = await app.convert()
  if (project === undefined) throw new Error('the sources could not be read')
  app.validate(project)
  // It calls them by the folders of their sources.
  for (const module of project.children ?? []) {
    module.name = byFolder(entries, module.name)
  }
  await app.generateOutputs(project)
  if (app.logger.hasErrors()) throw new Error('the API pages could not be written')
}

function byFolder(entries: readonly Entry[], folder: string): string {
  const path = (source: string) => source.replace(/(\/index)?\.ts$/, '')
  const entry = entries.find(({ source }) => path(source).endsWith(`/packages/${folder}`))
  if (entry === undefined) throw new Error(`no package exports ${folder}`)
  return entry.name
}

/** What the plugin adds to TypeDoc's own options. */
const pageOptions = {
  outputFileStrategy: 'members',
  entryFileName: 'index',
  hidePageHeader: true,
  hideBreadcrumbs: true,
  useCodeBlocks: true,
  expandObjects: false,
}
