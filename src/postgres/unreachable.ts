/**
 * Why a database cannot be used, in one sentence that names what to correct. It is made of the address and the codes of
 * drivers, because their texts may quote anything.
 */
export function describeUnreachable(error: unknown, url: string): string {
  if (!URL.canParse(url)) return 'DATABASE_URL is no URL: it begins with postgresql://.'
  const { hostname, port, username, pathname } = new URL(url)
  const server = `${decodeURIComponent(hostname) || 'this machine'}:${port || 5432}`
  const role = decodeURIComponent(username)
  const name = decodeURIComponent(pathname.slice(1))
  const codes = codesOf(error)
  const known: readonly (readonly [RegExp, string])[] = [
    [/^28P01$/, `PostgreSQL at ${server} refuses the password of the role "${role}"`],
    [/^28/, `PostgreSQL at ${server} does not let the role "${role}" in`],
    [/^3D000$/, `PostgreSQL at ${server} has no database "${name}"`],
    [
      /^42501$/,
      `PostgreSQL at ${server} does not let the role "${role}" into the database "${name}"`,
    ],
    [/^(ENOTFOUND|EAI_AGAIN)$/, `There is no host "${hostname}"`],
    [/^ECONNREFUSED$/, `Nothing listens at ${server}`],
    [/^53300$/, `PostgreSQL at ${server} has no connection left`],
    [/^57P0/, `PostgreSQL at ${server} is starting or stopping`],
    [
      /^08P01$/,
      `${server} refuses the connection; a PgBouncer needs ignore_startup_parameters = options`,
    ],
  ]
  const [, what] = known.find(([pattern]) => codes.some((code) => pattern.test(code))) ?? []
  return `${what ?? `PostgreSQL at ${server} does not answer`}: check DATABASE_URL.`
}

/** Codes of an error, of its causes, and of what it gathers. */
function codesOf(error: unknown, depth = 0): readonly string[] {
  if (typeof error !== 'object' || error === null || depth > 5) return []
  const { code, originalCode, kind, port, cause, meta, errors } = error as Record<string, unknown>
  const inner = (meta as Record<string, unknown> | undefined)?.driverAdapterError
  const gathered = Array.isArray(errors) ? errors : []
  return [
    ...[code, originalCode, kind === NOT_REACHABLE ? socketCode(port) : null].filter(isString),
    ...[cause, inner, ...gathered].flatMap((it) => codesOf(it, depth + 1)),
  ]
}

/** Prisma's adapter keeps of a failed connection whether there was a port to connect to. */
const NOT_REACHABLE = 'DatabaseNotReachable'

function socketCode(port: unknown): string {
  return port === undefined ? 'ENOTFOUND' : 'ECONNREFUSED'
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}
