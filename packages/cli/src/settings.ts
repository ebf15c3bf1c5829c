import { readFileSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { AuthError, type Owner, type Policy } from '@authmd/core'
import { z } from 'zod'

/** The options that every command takes. */
export interface Flags {
  readonly json?: boolean
  readonly config?: string
  readonly tenant?: string
  readonly user?: string
  readonly agent?: string
  readonly email?: string
  readonly store?: string
  readonly policy?: string
  readonly loopback?: boolean
}

export interface Settings {
  readonly owner: Owner
  /** The address to register with. */
  readonly email?: string
  /** A directory, or the URL of a server. */
  readonly store: string
  readonly keyFile?: string
  readonly policy?: Policy
  /** Services on this machine may be spoken to. */
  readonly loopback: boolean
}

const text = z.string().min(1).max(512)
const path = z.string().min(1).max(4096)
const configSchema = z.strictObject({
  tenant: text.optional(),
  user: text.optional(),
  agent: text.optional(),
  email: z.email().max(254).optional(),
  store: path.optional(),
  keyFile: path.optional(),
  policy: path.optional(),
})
type Config = z.infer<typeof configSchema>

const maxConfigBytes = 1024 * 1024

/** Who runs this program; an account may have a number alone, as in a container. */
export function loginName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`
  }
}

/** Whether a store is a server, by the form of its name. */
export function isUrl(store: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(store)
}

/**
 * Where each setting comes from: a flag, else an environment variable, else the file.
 *
 * @throws AuthError `invalid_input`
 */
export function settingsOf(flags: Flags, env: NodeJS.ProcessEnv = process.env): Settings {
  const { config, path: pathIn } = configOf(flags.config ?? set(env.AUTHMD_CONFIG))
  if (flags.store === '') throw invalid('--store is empty')
  if (flags.store !== undefined && isUrl(flags.store)) {
    throw invalid(
      '--store takes a directory. The URL of a server may hold a password, and others can see the arguments of a program: put it in AUTHMD_STORE',
    )
  }
  if (config.store !== undefined && isUrl(config.store)) {
    throw invalid(`store in the config is a directory; put the URL of a server in AUTHMD_STORE`)
  }
  const store =
    flags.store ?? set(env.AUTHMD_STORE) ?? pathIn(config.store) ?? homeFor('XDG_DATA_HOME', env)
  const tenant = flags.tenant ?? env.AUTHMD_TENANT ?? config.tenant
  if (tenant === undefined && isUrl(store)) {
    throw invalid(
      'say whose credentials they are: a store that others share has no owner by default. Set --tenant or AUTHMD_TENANT',
    )
  }
  const user = flags.user ?? env.AUTHMD_USER ?? config.user
  const agent = flags.agent ?? env.AUTHMD_AGENT ?? config.agent
  const email = flags.email ?? env.AUTHMD_EMAIL ?? config.email
  const policy = flags.policy ?? set(env.AUTHMD_POLICY) ?? pathIn(config.policy)
  const keyFile = set(env.AUTHMD_KEY_FILE) ?? pathIn(config.keyFile)
  if (email !== undefined && !z.email().max(254).safeParse(email).success) {
    throw invalid('the address to register with is no mail address')
  }
  return {
    owner: {
      tenant: tenant ?? 'local',
      // On a machine of one's own, the person at it.
      ...(user === undefined ? (tenant === undefined ? { user: loginName() } : {}) : { user }),
      ...(agent === undefined ? {} : { agent }),
    },
    store: isUrl(store) ? store : resolve(store),
    loopback: flags.loopback === true || env.AUTHMD_LOOPBACK === '1',
    ...(email === undefined ? {} : { email }),
    ...(keyFile === undefined ? {} : { keyFile: resolve(keyFile) }),
    ...(policy === undefined ? {} : { policy: jsonIn(policy, 'policy') as Policy }),
  }
}

/** An empty variable says nothing: as a path it would be the directory where one stands. */
const set = (value: string | undefined) => (value === '' ? undefined : value)

interface ConfigFile {
  readonly config: Config
  /** A path as the file means it: below its own directory, and `~` is the home directory. */
  path(value: string | undefined): string | undefined
}

function configOf(named: string | undefined): ConfigFile {
  const file = named ?? join(homeFor('XDG_CONFIG_HOME', process.env), 'config.json')
  const path = (value: string | undefined) => {
    if (value === undefined) return undefined
    return resolve(dirname(file), value.replace(/^~(?=\/|$)/, homedir()))
  }
  const json = jsonIn(file, 'config', named === undefined)
  if (json === undefined) return { config: {}, path }
  const parsed = configSchema.safeParse(json)
  if (parsed.success) return { config: parsed.data, path }
  const faults = parsed.error.issues.slice(0, 5).map((issue) => {
    return [issue.path.join('.'), issue.message].filter((part) => part !== '').join(': ')
  })
  throw invalid(`the config ${file} is not understood: ${faults.join('; ')}`)
}

/** Undefined only where the file may be missing and is. */
function jsonIn(file: string, what: string, mayBeMissing = false): unknown {
  let content: string
  try {
    content = readFileSync(file, 'utf8')
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (mayBeMissing && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined
    throw invalid(`the ${what} ${file} cannot be read (${code})`)
  }
  if (content.length > maxConfigBytes) throw invalid(`the ${what} ${file} is too long`)
  try {
    return JSON.parse(content)
  } catch {
    throw invalid(`the ${what} ${file} is no JSON`)
  }
}

/** The directory of this program below one of the XDG base directories, or where it stands without them. */
function homeFor(variable: 'XDG_DATA_HOME' | 'XDG_CONFIG_HOME', env: NodeJS.ProcessEnv): string {
  const base = env[variable]
  // The specification has relative ones ignored.
  if (base?.startsWith('/')) return join(base, 'authmd')
  return variable === 'XDG_DATA_HOME'
    ? join(homedir(), '.authmd')
    : join(homedir(), '.config', 'authmd')
}

function invalid(message: string): AuthError {
  return new AuthError('invalid_input', message)
}
