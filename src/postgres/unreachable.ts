import { type Cause, commonCauses, explain, type Place } from '../reach/causes.ts'
import { signsOf } from '../reach/signs.ts'
import { NOT_HEARD } from './postgres-notifications.ts'
import { SETTINGS_MISSING } from './session-options.ts'

/**
 * Why a database cannot be used, in one sentence that names what to correct. It is made of the address and of the codes
 * of drivers.
 * @param variable What holds the address.
 */
export function describeUnreachable(
  error: unknown,
  url: string,
  variable = 'DATABASE_URL',
): string {
  if (!URL.canParse(url)) return `${variable} is no URL: it begins with postgresql://.`
  return describe(error, placeOf(new URL(url)), variable)
}

/** The same sentence for anybody: of this database it holds nothing. */
export function describeAway(error: unknown): string {
  return describe(error, ANYWHERE, 'DATABASE_URL')
}

function describe(error: unknown, place: Database, variable: string): string {
  return `${explain(error, place, causes) ?? describeCode(error, place)}: check ${variable}.`
}

/** A code is quoted where nothing is known of it; codes of Prisma's own, which look alike, say nothing of the server. */
function describeCode(error: unknown, { server }: Place): string {
  const [code] = signsOf(error).flatMap(
    (sign) => /^(?!P[1-9])(?=\w*\d)[0-9A-Z]{5}(?= )/.exec(sign) ?? [],
  )
  return code ? `${server} refuses with SQLSTATE ${code}` : `${server} does not answer`
}

interface Database extends Place {
  /** Without who is there: `db.example:5432`. */
  readonly at: string
  readonly role: string
  readonly name: string
}

const ANYWHERE: Database = {
  server: 'PostgreSQL at HOST:PORT',
  at: 'HOST:PORT',
  host: 'HOST',
  role: 'ROLE',
  name: 'DATABASE',
}

/** The place that the driver really tries: the parameters `host` and `port` come before what the authority says. */
function placeOf({ hostname, port, username, pathname, searchParams }: URL): Database {
  const host = searchParams.get('host') ?? decodeURIComponent(hostname)
  const number = searchParams.get('port') || port || '5432'
  const at = host.startsWith('/')
    ? `the socket ${host}/.s.PGSQL.${number}`
    : `${host || 'this machine'}:${number}`
  return {
    server: `PostgreSQL at ${at}`,
    at,
    host,
    role: decodeURIComponent(username),
    name: decodeURIComponent(pathname.slice(1)),
  }
}

const causes: readonly Cause<Database>[] = [
  [
    /^28000 .*(no encryption|SSL off)/,
    'lets nobody in without TLS, or not this role; try sslmode=require',
  ],
  [
    /^28000 .*pg_hba/,
    ({ server, role, name }) =>
      `${server} has no entry in pg_hba.conf for the role "${role}" and the database "${name}"`,
  ],
  [/^28P01\b/, ({ server, role }) => `${server} refuses the password of the role "${role}"`],
  [
    /client password must be a (non-empty )?string/,
    ({ server, role }) => `${server} wants a password of the role "${role}", and the URL has none`,
  ],
  [/^28/, ({ server, role }) => `${server} does not let the role "${role}" in`],
  [/^3D000\b/, ({ server, name }) => `${server} has no database "${name}"`],
  [
    /^42501\b/,
    ({ server, role, name }) =>
      `${server} does not let the role "${role}" into the database "${name}"`,
  ],
  [/^25006\b/, 'is a standby, where nothing can be listened to; name the primary'],
  [
    new RegExp(NOT_HEARD),
    'passes on nothing that is notified, as a pooler that shares sessions; name the server itself',
  ],
  [/^53300\b/, 'has no connection left'],
  [/^57P0/, 'is starting or stopping'],
  [
    new RegExp(SETTINGS_MISSING),
    ({ server, role }) =>
      `${server} is a pooler that refuses the settings which the gateway asks for, and the role "${role}" does not have them by itself; name the database without the pooler, or let the owner run the SQL that the command doctor --sql prints, which sets them for the role`,
  ],
  [
    /startup parameter|command-line options/,
    'refuses the connection; a PgBouncer needs ignore_startup_parameters = options',
  ],
  [
    /no more connections|query_wait_timeout|too many clients/,
    'is a pooler that has no connection left',
  ],
  [/^(08P01|0A000)\b/, 'is a pooler that refuses the connection; its log says why'],
  [/does not support SSL/, 'offers no TLS, and the URL asks for it with sslmode'],
  [/^ENOENT connect\b/, ({ at }) => `There is no socket ${at.split(' ').at(-1)}`],
  [/^(EACCES|EPERM) connect\b/, ({ server }) => `This process may not connect to ${server}`],
  [
    /^(ENOENT|EACCES|EPERM|EISDIR|ENOTDIR)\b/,
    () => 'A file that the URL names (sslrootcert, sslcert, sslkey) is missing or cannot be read',
  ],
  [/^(ENOTFOUND|EAI_AGAIN)\b/, ({ host }) => `There is no host "${host}"`],
  [/^(EHOSTUNREACH|ENETUNREACH)\b/, ({ server }) => `No route leads to ${server}`],
  [/^ECONNREFUSED\b/, ({ at }) => `Nothing listens at ${at}`],
  ...commonCauses({
    authority: "; name the authority's certificate with sslrootcert=…",
    ended: '; something else may listen there',
    slow: '; it or the look-up of its name hangs, or a firewall drops what is sent there',
  }),
]
