import { accessSync, constants } from 'node:fs'
import { z } from 'zod'
import type { Given } from './group.ts'
import type { Kind } from './kinds.ts'

const ACCEPTED = 'a URL that begins with postgresql:// or postgres://'

/**
 * Stays text, because the driver parses it; a URL without a host, which names a socket in `host`, is given one. Modes of TLS
 * that the driver takes for `verify-full` are written so: it warns of them at length, and will take them otherwise one day.
 */
export const postgresUrl: Kind<string> = z
  .string()
  .transform((given, context) => {
    const text = given.replace('@/', '@localhost/')
    const problem = problemOf(text)
    if (problem === undefined)
      return /[?&]uselibpqcompat=true\b/.test(text)
        ? text
        : text.replace(VERIFYING, '$1verify-full')
    context.addIssue(problem)
    return z.NEVER
  })
  .describe(ACCEPTED)

function problemOf(text: string): string | undefined {
  if (!/^postgres(ql)?:\/\//.test(text)) return `must be ${ACCEPTED}`
  if (/^\w+:\/\/([^/@]*@)?[^/?@]*,/.test(text))
    return 'names several hosts, and the gateway connects to one: name a balancer, or what follows the primary'
  if (!URL.canParse(text) || !isEncoded(new URL(text)))
    return 'is no URL: write / # ? @ % : in its user and password as %2F %23 %3F %40 %25 %3A'
  return problemOfTls(new URL(text).searchParams)
}

/** The driver reads a password that is not as it stands, but no other part. */
function isEncoded({ username, pathname }: URL): boolean {
  try {
    decodeURIComponent(username + pathname)
    return true
  } catch {
    return false
  }
}

const SSL_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']
const VERIFYING = /([?&]sslmode=)(?:prefer|require|verify-ca)\b/
const FILES = ['sslrootcert', 'sslcert', 'sslkey']

/** The driver takes an unknown mode for another one, and reads files only when it connects. */
function problemOfTls(parameters: URLSearchParams): string | undefined {
  const mode = parameters.get('sslmode')
  if (mode !== null && !SSL_MODES.includes(mode))
    return `has the sslmode ${JSON.stringify(mode)}, which is none of ${SSL_MODES.join(', ')}`
  const unreadable = FILES.filter(
    (name) => parameters.has(name) && !isReadable(parameters.get(name)),
  )
  return unreadable.length === 0
    ? undefined
    : `names files that cannot be read: ${unreadable.map((name) => `${name}=${parameters.get(name)}`).join(', ')}`
}

function isReadable(path: string | null): boolean {
  try {
    accessSync(path ?? '', constants.R_OK)
    return true
  } catch {
    return false
  }
}

/**
 * The variables that parameters of the URL stand for: those of Prisma's URLs, and the `search_path` that Better Auth's
 * documentation sets for tables in another PostgreSQL schema. A variable that is set itself goes first.
 */
export function variablesOf(url: string): Given {
  const parameters = parametersOf(url)
  const path = /(?:^|\s)(?:-c\s*|--)search_path=\\?"?([^\s,"\\$]+)/.exec(
    parameters.get('options') ?? '',
  )?.[1]
  const schema = parameters.get('schema') ?? path
  const limit = parameters.get('connection_limit')
  return {
    ...(schema === undefined ? {} : { DATABASE_SCHEMA: schema }),
    ...(limit === null ? {} : { DATABASE_POOL_SIZE: limit }),
    ...(parameters.get('pgbouncer') === 'true' ? { DATABASE_PREPARED_STATEMENTS: 'off' } : {}),
  }
}

/** What the driver or this project understands of a URL; `host` and `port` name sockets. */
const UNDERSTOOD = [
  ...['schema', 'connection_limit', 'pgbouncer'],
  ...['host', 'port', 'options', 'sslmode', ...FILES, 'ssl', 'sslnegotiation', 'uselibpqcompat'],
  ...[
    'client_encoding',
    'lock_timeout',
    'idle_in_transaction_session_timeout',
    'keepalives',
    'keepalives_idle',
  ],
]

/** Parameters that change nothing, although somebody may count on them. */
export function ignoredParameters(url: string): readonly string[] {
  return [...new Set(parametersOf(url).keys())].filter((name) => !UNDERSTOOD.includes(name))
}

function parametersOf(url: string): URLSearchParams {
  return new URLSearchParams(url.split(/\?(.*)/s)[1] ?? '')
}
