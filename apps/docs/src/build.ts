// Builds the site into `dist`: the pages of the repository, the API from the doc comments, then the generator.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { entryPoints, writeApi } from './api.ts'
import { pagesOf, stage } from './stage.ts'

const here = join(import.meta.dirname, '..')
const root = join(here, '../..')
const folder = join(here, '.report/pages')

rmSync(folder, { recursive: true, force: true })
stage(root, pagesOf(root), folder)
await writeApi(entryPoints(root), join(folder, 'api'))
const { status } = spawnSync('rspress', ['build'], { cwd: here, stdio: 'inherit' })
if (status !== 0) process.exit(1)
