import { SETTINGS_MISSING } from './session-options.ts'

/**
 * Why a database cannot be used, in one sentence that names what to correct. It is made of the address, of the codes of
 * drivers, and of texts that are recognised, never quoted, because they may hold anything.
 * @param variable What holds the address.
 */
export function describeUnreachable(
  error: unknown,
  url: string,
  variable = 'DATABASE_URL',
): string {
  if (!URL.canParse(url)) return `${variable} is no URL: it begins with postgresql://.`
  const place = placeOf(new URL(url))
  const signs = signsOf(error)
  const [, describe] = causes.find(([pattern]) => signs.some((sign) => pattern.test(sign))) ?? []
  const what = describe?.(place) ?? describeCode(signs, place) ?? `${place.server} does not answer`
  return `${what}: check ${variable}.`
}

/** A code is quoted where nothing is known of it; codes of Prisma's own, which look alike, say nothing of the server. */
function describeCode(signs: readonly string[], { server }: Place): string | undefined {
  const [code] = signs.flatMap((sign) => /^(?!P[1-9])(?=\w*\d)[0-9A-Z]{5}(?= )/.exec(sign) ?? [])
  return code && `${server} refuses with SQLSTATE ${code}`
}

interface Place {
  readonly server: string
  readonly host: string
  readonly role: string
  readonly name: string
}

/** The place that the driver really tries: the parameters `host` and `port` come before what the authority says. */
function placeOf({ hostname, port, username, pathname, searchParams }: URL): Place {
  const host = searchParams.get('host') ?? decodeURIComponent(hostname)
  const at = searchParams.get('port') || port || '5432'
  const server = host.startsWith('/')
    ? `the socket ${host}/.s.PGSQL.${at}`
    : `${host || 'this machine'}:${at}`
  return {
    server: `PostgreSQL at ${server}`,
    host,
    role: decodeURIComponent(username),
    name: decodeURIComponent(pathname.slice(1)),
  }
}

/** The first that fits a code or a text is the cause; what is particular comes before what is general. */
const causes: readonly (readonly [RegExp, (place: Place) => string])[] = [
  [
    /^28000 .*(no encryption|SSL off)/,
    ({ server }) => `${server} lets nobody in without TLS, or not this role; try sslmode=require`,
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
  [
    /^25006\b/,
    ({ server }) => `${server} is a standby, where nothing can be listened to; name the primary`,
  ],
  [/^53300\b/, ({ server }) => `${server} has no connection left`],
  [/^57P0/, ({ server }) => `${server} is starting or stopping`],
  [
    new RegExp(SETTINGS_MISSING),
    ({ server, role }) =>
      `${server} is a pooler that refuses the settings which the gateway asks for, and the role "${role}" does not have them by itself; name the database without the pooler, or let the owner run the SQL that the command doctor --sql prints, which sets them for the role`,
  ],
  [
    /^08P01\b|^0A000\b|startup parameter|command-line options/,
    ({ server }) =>
      `${server} refuses the connection; a PgBouncer needs ignore_startup_parameters = options`,
  ],
  [
    /SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF|UNABLE_TO_GET_ISSUER|self-signed certificate|unable to (verify|get)/,
    ({ server }) =>
      `${server} has a certificate of an authority that is not trusted here; name the authority's certificate with sslrootcert=…`,
  ],
  [
    /ERR_TLS_CERT_ALTNAME_INVALID|does not match certificate/,
    ({ server, host }) => `${server} has a certificate of another name than "${host}"`,
  ],
  [
    /CERT_HAS_EXPIRED|certificate has expired/,
    ({ server }) => `${server} has a certificate that has expired`,
  ],
  [
    /does not support SSL/,
    ({ server }) => `${server} offers no TLS, and the URL asks for it with sslmode`,
  ],
  [/^(ENOTFOUND|EAI_AGAIN)\b/, ({ host }) => `There is no host "${host}"`],
  [/^(EHOSTUNREACH|ENETUNREACH)\b/, ({ server }) => `No route leads to ${server}`],
  [/^ENOENT connect\b/, ({ server }) => `There is no ${server.replace('PostgreSQL at the ', '')}`],
  [/^(EACCES|EPERM) connect\b/, ({ server }) => `This process may not connect to ${server}`],
  [
    /^(ENOENT|EACCES|EPERM|EISDIR|ENOTDIR)\b/,
    () => 'A file that the URL names (sslrootcert, sslcert, sslkey) is missing or cannot be read',
  ],
  [/^ECONNREFUSED\b/, ({ server }) => `Nothing listens at ${server.replace('PostgreSQL at ', '')}`],
  [
    /^(ECONNRESET|EPIPE)\b|terminated unexpectedly/,
    ({ server }) => `${server} ended the connection; something else may listen there`,
  ],
]

/** Codes of an error, of its causes, and of what it gathers, each before its text. What is no code never comes first. */
function signsOf(error: unknown, depth = 0): readonly string[] {
  if (typeof error !== 'object' || error === null || depth > 5) return []
  const it = error as Readonly<Record<string, unknown>>
  const inner = (it.meta as Record<string, unknown> | undefined)?.driverAdapterError
  const gathered = Array.isArray(it.errors) ? it.errors : []
  const code = it.originalCode ?? it.code ?? ''
  const text = it.originalMessage ?? it.reason ?? it.message ?? ''
  return [
    `${code} ${text}`,
    ...[it.cause, inner, ...gathered].flatMap((each) => signsOf(each, depth + 1)),
  ]
}
