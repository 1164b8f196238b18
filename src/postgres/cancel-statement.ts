import pg from 'pg'

const TIMEOUT_MS = 1000

/** What `pg` knows of a connection and does not say in its types. */
interface Backend {
  readonly host: string
  readonly port: number
  readonly ssl: pg.ClientConfig['ssl']
  readonly processID: number | null
  readonly secretKey: number | null
}

interface Connection extends pg.Connection {
  connect(portOrSocket: number | string, host?: string): void
  requestSsl(): void
  cancel(processID: number, secretKey: number): void
}

/**
 * Asks PostgreSQL, over a connection of its own as the protocol has it, to cancel what a client is running. Nobody
 * hears whether it did: it is for statements that are no longer waited for, and `statement_timeout` bounds them anyway.
 */
export function cancelStatement(client: pg.ClientBase): void {
  const { host, port, ssl, processID, secretKey } = client as unknown as Backend
  if (processID === null || secretKey === null) return
  const { connection } = new pg.Client({
    host,
    port,
    ...(ssl === undefined ? {} : { ssl }),
  }) as unknown as {
    connection: Connection
  }
  const timer = setTimeout(() => connection.stream.destroy(), TIMEOUT_MS)
  connection.on('error', () => {})
  connection.on('end', () => clearTimeout(timer))
  connection.on('connect', () =>
    ssl ? connection.requestSsl() : connection.cancel(processID, secretKey),
  )
  connection.on('sslconnect', () => connection.cancel(processID, secretKey))
  if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`)
  else connection.connect(port, host)
}
