import type { Socket } from 'node:net'
import pg from 'pg'
import { GatewayError } from '../domain/errors.ts'
import type { FairQueue, Place } from '../domain/fair-queue.ts'
import { cancelStatement } from './cancel-statement.ts'
import { openPool } from './session-options.ts'

export interface ReadPoolOptions {
  readonly url: string
  /** Of each session, as `name=value`. */
  readonly settings: readonly string[]
  readonly config?: pg.PoolConfig
  /** A statement without an answer is given up after this long. Longer than PostgreSQL's own `statement_timeout`. */
  readonly longestStatementMs: number
  /** Where statements wait for a connection; as many run at once as there are connections. */
  readonly queue: FairQueue
  /** For a connection, in milliseconds. */
  readonly longestWaitMs: number
  /** Of whom the statement is that is asked for now. */
  readonly share: () => string
  /** The most that PostgreSQL may answer one statement with; it fails with LIMIT_EXCEEDED then. */
  readonly mostBytes: number
  /** Gives what is told how much is being read, for whoever asks now. */
  readonly onBytes: () => (bytes: number) => void
  /** Of whoever asks now; statements are cancelled when it is aborted, with its reason. Absent: nobody can. */
  readonly signal: () => AbortSignal | undefined
  /** Told once when connections turn out to share sessions, as behind a pooler in transaction mode. */
  readonly onSharedSessions: () => void
  /** Told of each statement that was sent, whatever became of it. */
  readonly onStatement: (statement: StatementReport) => void
  /** Told how long each statement waited for a connection, whether it got one or not. */
  readonly onWaited: (milliseconds: number) => void
  /** Told of each connection that could not be made. */
  readonly onConnectFailure: () => void
}

export interface StatementReport {
  readonly text: string
  /** Where it was sent. */
  readonly server: Pick<pg.Client, 'host' | 'port' | 'database'>
  readonly durationMs: number
  readonly outcome: 'answered' | 'failed' | 'cancelled'
}

/**
 * A pool for statements that only read, so that one may be sent again: a connection that turns out to be dead is
 * replaced, and the statement tried on the next; so is one whose prepared statement no longer fits an altered table, and
 * the statement then goes unprepared, because the next connection may hold the old plan too. Where connections share
 * sessions, statements are no longer prepared. Waiting is bounded, for a connection and for the answer. Who no longer
 * waits for a statement has it cancelled in PostgreSQL as well, and its connection closed.
 * Statements fail with what `pg` throws, or with an Error whose cause is a GatewayError or the reason of the signal.
 */
export function createReadPool(options: ReadPoolOptions): pg.Pool {
  const pool = openPool(options.url, options.settings, options.config)
  const meters = new WeakMap<pg.PoolClient, Meter>()
  let preparing = true
  const query = async (asked: pg.QueryConfig) => {
    const signal = options.signal()
    let stale = false
    for (;;) {
      const statement = preparing && !stale ? asked : { ...asked, name: '' }
      const place = options.queue.enter(options.share())
      let reused = false
      try {
        const client = await checkOut(pool, place, options, signal)
        const known = meters.get(client)
        reused = known !== undefined
        const meter = known ?? meterOf(client)
        meters.set(client, meter)
        return await send(client, statement, signal, meter, options)
      } catch (error) {
        if (statement.name && isOfSharedSession(error)) {
          if (preparing) options.onSharedSessions()
          preparing = false
        } else if (statement.name && isOfStalePlan(error)) stale = true
        else if (!reused || !isLost(error)) throw error
      } finally {
        place.leave()
      }
    }
  }
  pool.query = query as pg.Pool['query']
  return pool
}

async function checkOut(
  pool: pg.Pool,
  { ready }: Place,
  { longestWaitMs, onWaited, onConnectFailure }: ReadPoolOptions,
  signal: AbortSignal | undefined,
): Promise<pg.PoolClient> {
  if (signal?.aborted) throw givenUp(signal.reason)
  const begun = performance.now()
  const connectAtLast = () => {
    const connecting = connect(pool)
    connecting.catch(onConnectFailure)
    return connecting
  }
  const connecting = ready ? ready.then(connectAtLast, refused) : connectAtLast()
  const aborted = whenAborted(signal, ready ? longestWaitMs : undefined, NONE_FREE)
  try {
    return await Promise.race([connecting, aborted.promise])
  } catch (error) {
    connecting.then(
      (client) => client.release(),
      () => {},
    )
    // Whatever fails before there is a session, no statement is at fault.
    throw error instanceof Error && 'code' in error
      ? new Error('Not connected.', { cause: error })
      : error
  } finally {
    aborted.forget()
    onWaited(performance.now() - begun)
  }
}

const NONE_FREE = new GatewayError('UNAVAILABLE', 'No connection to the database became free.')
const TOO_LONG = new GatewayError('TIMEOUT', 'The database took too long.')

/** There is no room to wait in. */
function refused(error: unknown): never {
  throw givenUp(error)
}

/** A file that the URL names and that is missing is thrown rather than rejected. */
async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  return pool.connect()
}

async function send(
  client: pg.PoolClient,
  statement: pg.QueryConfig,
  signal: AbortSignal | undefined,
  meter: Meter,
  options: ReadPoolOptions,
): Promise<pg.QueryResult> {
  const begun = performance.now()
  const { text } = statement
  const report = (outcome: StatementReport['outcome']) =>
    options.onStatement({ text, server: client, durationMs: performance.now() - begun, outcome })
  client.on('error', ignore)
  const ended = whenAborted(signal, options.longestStatementMs)
  const answer = ask(client, statement)
  const tell = options.onBytes()
  let left = options.mostBytes
  const onBytes = (bytes: number) => {
    tell(bytes)
    left -= bytes
    if (left < 0)
      ended.end(new GatewayError('LIMIT_EXCEEDED', 'The database has too much to tell.'))
  }
  meter.onBytes = onBytes
  try {
    const result = await Promise.race([answer, ended.promise])
    report('answered')
    client.release()
    return result
  } catch (error) {
    answer.catch(ignore)
    report(ended.early ? 'cancelled' : 'failed')
    if (ended.early) cancelStatement(client)
    // Closed when it is lost or still busy; kept when PostgreSQL only said no.
    client.release(ended.early || isLost(error))
    throw error
  } finally {
    ended.forget()
    meter.onBytes = ignore
    client.off('error', ignore)
  }
}

/** No closure of a statement, which would keep its rows for as long as its connection is idle. */
const ignore = () => {}

interface Meter {
  /** Told of what comes from PostgreSQL. */
  onBytes: (bytes: number) => void
}

function meterOf(client: pg.PoolClient): Meter {
  const meter: Meter = { onBytes: ignore }
  // Not among the types of `pg`, which has it for as long as there is `pg`.
  const { connection } = client as unknown as { readonly connection: { readonly stream: Socket } }
  connection.stream.on('data', (chunk: Buffer) => meter.onBytes(chunk.length))
  return meter
}

/** With a callback, because the promise that `pg` makes itself keeps the rows until the old generation is collected. */
function ask(client: pg.PoolClient, statement: pg.QueryConfig): Promise<pg.QueryResult> {
  return new Promise((resolve, reject) => {
    void client.query(statement, (error, result) => (error ? reject(error) : resolve(result)))
  })
}

/** Rejects when the signal is aborted, or after so many milliseconds. */
function whenAborted(signal: AbortSignal | undefined, milliseconds?: number, late = TOO_LONG) {
  let reject = (_error: Error): void => {}
  const promise = new Promise<never>((_, fail) => {
    reject = fail
  })
  const outcome = {
    promise,
    early: false,
    end: (reason: unknown) => {
      outcome.early = true
      reject(givenUp(reason))
    },
    forget: () => {
      signal?.removeEventListener('abort', onAbort)
      clearTimeout(timer)
    },
  }
  const onAbort = () => outcome.end(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer = milliseconds === undefined ? undefined : setTimeout(outcome.end, milliseconds, late)
  return outcome
}

/** Prisma passes on plain errors as they are; of those with a code it makes errors of its own. */
function givenUp(reason: unknown): Error {
  return new Error('Not waited for.', { cause: reason })
}

/** SQLSTATEs with which PostgreSQL, or a pooler before it, ends a session. */
const ENDING = /^(08|57P0)/

/**
 * Whether the connection is no good, rather than the statement. The severity does not say it: `pg` passes on the one that
 * is in the language of the server's messages.
 */
function isLost(error: unknown): boolean {
  if (error instanceof Error && error.cause instanceof GatewayError) return false
  if (!(error instanceof pg.DatabaseError)) return true
  return ENDING.test(error.code ?? '') || isOfStalePlan(error)
}

/** A table has been altered since the statement was prepared: its session says so for ever, and a new one does not. */
function isOfStalePlan(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false
  return error.code === '0A000' && error.routine === 'RevalidateCachedQuery'
}

/** The session has a statement that this connection did not prepare, or lacks one that it did. */
function isOfSharedSession(error: unknown): boolean {
  return error instanceof pg.DatabaseError && ['42P05', '26000'].includes(error.code ?? '')
}
