import pg from 'pg'

/** What `pg` would let parameters of the URL replace, although it is given beside it. */
const REPLACING = ['options', 'statement_timeout', 'query_timeout', 'application_name']

/**
 * A connection whose session begins with these settings. Options that the URL has of its own come before ours, so that
 * these win: what is read-only stays so, whatever a URL says.
 * @param url As `DATABASE_URL`; also the address of a socket, which is no URL to a parser of these.
 * @param settings As `name=value`.
 */
export function withSettings(url: string, settings: readonly string[]) {
  const [address = '', query = ''] = url.split(/\?(.*)/s)
  const parameters = new URLSearchParams(query)
  const options = [parameters.get('options') ?? '', ...settings.map((setting) => `-c ${setting}`)]
  for (const name of REPLACING) parameters.delete(name)
  return {
    connectionString: parameters.size === 0 ? address : `${address}?${parameters}`,
    options: options.join(' ').trim(),
  }
}

/**
 * The options that a URL has of its own: what they set, as `name=value`, and the rest, which only the beginning of a
 * connection can say. Without a search path, which stands for DATABASE_SCHEMA: the gateway names every table in full.
 */
export function ownOptions(url: string): {
  readonly settings: readonly string[]
  readonly rest: string
} {
  const options = new URLSearchParams(url.split(/\?(.*)/s)[1]).get('options') ?? ''
  const words = options.replaceAll(/(?<=^|\s)-c\s+/g, '-c').match(/(?:\\.|[^\s\\])+/gs) ?? []
  const isSetting = (word: string) => /^(-c|--)[^=]+=/.test(word)
  return {
    settings: words
      .filter(isSetting)
      .map((word) => word.replace(/^(-c|--)/, '').replaceAll(/\\(.)/gs, '$1'))
      .filter((setting) => !/^search[_-]path=/i.test(setting)),
    rest: words.filter((word) => !isSetting(word)).join(' '),
  }
}

/**
 * A pool whose sessions have these settings. They are asked for as a connection begins, which costs no round trip;
 * whether a pooler dropped them in silence is for whoever reads to look (`findDrift` does). Where they are refused, as by
 * a PgBouncer that is not told to ignore them, by Neon's pooler and by RDS Proxy, the pool connects without them from
 * then on, and each new session is looked at before it is used, for what the URL's own options set too.
 */
export function openPool(
  url: string,
  settings: readonly string[],
  config: pg.PoolConfig = {},
): pg.Pool {
  const own = ownOptions(url)
  let refused = false
  const pool = new pg.Pool({
    ...config,
    ...withSettings(url, settings),
    onConnect: (client) =>
      refused ? verifySession(client as pg.Client, [...own.settings, ...settings]) : undefined,
  })
  // A connection that ends while nobody uses it has left the pool already.
  pool.on('error', () => {})
  const connect = pool.connect.bind(pool) as () => Promise<pg.PoolClient>
  const connectAnyway = async (error: unknown) => {
    if (!isOfOptions(error)) throw error
    refused = true
    pool.options.options = own.rest
    return connect()
  }
  // The pool's own `query` gives a callback.
  const connectEither = (callback?: Callback) => {
    const connecting = connect().catch(connectAnyway)
    if (!callback) return connecting
    connecting.then(
      (client) => callback(undefined, client, (error) => client.release(error)),
      (error: Error) => callback(error, undefined, () => {}),
    )
    return undefined
  }
  pool.connect = connectEither as pg.Pool['connect']
  return pool
}

type Callback = Parameters<pg.Pool['connect']>[0]

/**
 * A connection of one's own whose session has these settings, as in `openPool`.
 * @throws Error when it cannot be made, or when its session would lack them.
 */
export async function openSession(
  url: string,
  settings: readonly string[],
  config: pg.ClientConfig,
): Promise<pg.Client> {
  const { options, ...address } = withSettings(url, settings)
  const asking = { ...config, ...address, options }
  try {
    return await begin(asking)
  } catch (error) {
    if (!isOfOptions(error)) throw error
    const own = ownOptions(url)
    return begin({ ...config, ...address, options: own.rest }, (client) =>
      verifySession(client, [...own.settings, ...settings]),
    )
  }
}

async function begin(
  config: pg.ClientConfig,
  verify = async (_client: pg.Client): Promise<void> => {},
): Promise<pg.Client> {
  const client = new pg.Client(config)
  client.on('error', () => {})
  try {
    await client.connect()
    await verify(client)
    return client
  } catch (error) {
    endAtOnce(client)
    throw error
  }
}

/** Ending politely would wait for a connection that hangs. */
export function endAtOnce(client: pg.Client): void {
  client.end().catch(() => {})
  client.connection.stream.destroy()
}

/** Whether a server or a pooler lets nobody in who asks for settings. */
function isOfOptions(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false
  const code = error.code ?? ''
  return ['08P01', '0A000'].includes(code) && /startup parameter|options/i.test(error.message)
}

const ANSWER_TIMEOUT_MS = 5000

/**
 * Sees that a session has these settings, of which later ones go before earlier ones, and sets them where nobody else has
 * a part in it. Where connections share sessions, setting them would change the session of somebody else, and ours would
 * be another at the next statement.
 * @throws Error without a code, which is passed on as it is, when the session lacks them.
 */
async function verifySession(client: pg.Client, settings: readonly string[]): Promise<void> {
  const wanted = new Map(settings.map(nameAndValue))
  const { rows } = await client.query<Setting>({
    text: `SELECT wanted.name, s.setting, pg_catalog.current_setting(wanted.name, true) AS shown,
        pg_catalog.pg_backend_pid() AS process
      FROM unnest($1::text[]) AS wanted (name) LEFT JOIN pg_catalog.pg_settings AS s ON lower(s.name) = wanted.name`,
    values: [[...wanted.keys()]],
    query_timeout: ANSWER_TIMEOUT_MS,
  } as pg.QueryConfig)
  const lacking = [...wanted].filter(
    ([name, value]) => !rows.some((row) => row.name === name && isSetTo(row, value)),
  )
  if (lacking.length === 0) return
  // A pooler makes up the process that it tells of.
  const { processID } = client as unknown as { readonly processID: number | null }
  if (rows[0]?.process !== processID) throw new Error(SETTINGS_MISSING)
  await client.query({
    text: `SELECT pg_catalog.set_config(name, value, false)
      FROM unnest($1::text[], $2::text[]) AS wanted (name, value)`,
    values: [lacking.map(([name]) => name), lacking.map(([, value]) => value)],
    query_timeout: ANSWER_TIMEOUT_MS,
  } as pg.QueryConfig)
}

/** PostgreSQL knows names in any case. */
function nameAndValue(setting: string): [string, string] {
  const [name = '', value = ''] = setting.split(/=(.*)/s)
  return [name.replaceAll('-', '_').toLowerCase(), value]
}

interface Setting {
  readonly name: string
  /** In the unit of the catalog: milliseconds for a time. `null`: a setting of the application's own. */
  readonly setting: string | null
  /** As somebody would write it; `null`: there is none of that name. */
  readonly shown: string | null
  readonly process: number
}

/** What `describeUnreachable` knows the refusal by. */
export const SETTINGS_MISSING = 'A shared session lacks the settings that the gateway asks for.'

/** A shorter time to answer than was asked for is a setting too. */
function isSetTo({ name, setting, shown }: Setting, value: string): boolean {
  if (name === 'timezone' && isUtc(value)) return isUtc(shown ?? '')
  // The order of day and month beside it is that of input.
  if (name === 'datestyle' && shown?.startsWith(`${value},`)) return true
  if (name === 'statement_timeout') return Number(setting) > 0 && Number(setting) <= Number(value)
  return setting === value || shown === value
}

/** Whether a time zone is UTC, by whichever of its names. */
export function isUtc(zone: string): boolean {
  return /^(Etc\/)?(UTC|UCT|GMT|Zulu|Universal)$/i.test(zone)
}
