import { PrismaPg } from '@prisma/adapter-pg'
import { partOf } from '../domain/caller.ts'
import { GatewayError } from '../domain/errors.ts'
import { FairQueue } from '../domain/fair-queue.ts'
import { withinTime } from '../domain/within-time.ts'
import { fieldsOf, models } from '../layout/contract.ts'
import type { Layout } from '../layout/layout.ts'
import { isPrismasColumn } from '../layout/prismas.ts'
import { printLayout } from '../layout/schema-file.ts'
import { refuse } from './failures.ts'
import { Prisma, PrismaClient } from './generated/client.ts'
import { createReadPool, type ReadPoolOptions } from './pool.ts'
import { nameStatements, valueTypes } from './statements.ts'

export { Prisma } from './generated/client.ts'

const READS = [
  'findUnique',
  'findUniqueOrThrow',
  'findFirst',
  'findFirstOrThrow',
  'findMany',
  'count',
  'aggregate',
  'groupBy',
] as const
type Read = (typeof READS)[number]

type Delegate = { findMany(...args: never[]): unknown }
/** A Prisma client that has nothing but its models, and those nothing but reads. */
export type Models = {
  readonly [Name in keyof PrismaClient as PrismaClient[Name] extends Delegate ? Name : never]: Pick<
    PrismaClient[Name],
    Extract<keyof PrismaClient[Name], Read>
  >
}

export interface Database {
  readonly models: Models
  /**
   * The one door for hand-written SQL: a parameterised SELECT. Identifiers come from `Tables`, values are bound. It goes to
   * the driver itself, because Prisma's engine copies each row several times.
   */
  read<Row>(sql: Prisma.Sql): Promise<Row[]>
  /** Returns when PostgreSQL answers, or has answered just now; rejects after a second without an answer. */
  ping(): Promise<void>
  /** Of several who would share a statement, the one who has fewest. */
  lightest(shares: readonly string[]): string | undefined
  /** How many connections there are, how many of them idle, and how many statements wait for one. */
  poolUse(): { readonly total: number; readonly idle: number; readonly waiting: number }
  close(): Promise<void>
}

export interface DatabaseOptions
  extends Partial<Pick<ReadPoolOptions, 'onStatement' | 'onWaited' | 'onConnectFailure'>> {
  readonly url: string
  /** The PostgreSQL schema that holds Better Auth's tables. */
  readonly schema: string
  /** What this database calls its tables and columns. */
  readonly layout: Layout
  readonly poolSize: number
  readonly statementTimeoutMs: number
  /** Whether statements are prepared once for each connection; not where a pooler lets connections share sessions. */
  readonly preparedStatements: boolean
  /** Told once when connections turn out to share sessions: statements are no longer prepared then. */
  readonly onSharedSessions?: () => void
  /** Of whoever asks now: statements are cancelled, in PostgreSQL as well, when it is aborted, and fail with its reason. */
  readonly signal?: () => AbortSignal | undefined
  /** Of whom a statement is that is asked for now: nobody has more than a part of the connections. Absent: all are one's own. */
  readonly share?: () => string
  /** The most that PostgreSQL may answer one statement with. */
  readonly mostBytes?: number
  /** Gives what is told how much is being read, for whoever asks now. */
  readonly onBytes?: () => (bytes: number) => void
  /** Told of each statement that fails with UNAVAILABLE. */
  readonly onUnavailable?: () => void
}

/**
 * Opens a query-only client. What keeps it so: the type has no writes, the guard refuses them at run time, the session
 * is read-only, and the role it connects as should have no other grant. Statements fail with GatewayError UNAVAILABLE
 * (no connection), TIMEOUT or INTERNAL.
 */
export function openDatabase(options: DatabaseOptions): Database {
  let answeredAt = Number.NEGATIVE_INFINITY
  const { poolSize } = options
  const queue = new FairQueue({
    capacity: poolSize,
    partOf: options.share ? partOf : () => 1,
    mostWaiting: poolSize * WAITING_PER_CONNECTION,
    full: 'Too many wait for the database.',
  })
  const pool = createReadPool({
    ...connection(options),
    longestStatementMs: options.statementTimeoutMs + ANSWER_GRACE_MS,
    queue,
    longestWaitMs: CONNECT_TIMEOUT_MS,
    share: () => options.share?.() ?? '',
    mostBytes: options.mostBytes ?? MOST_BYTES,
    onBytes: () => options.onBytes?.() ?? (() => {}),
    signal: () => options.signal?.(),
    onSharedSessions: () => options.onSharedSessions?.(),
    onStatement: (statement) => {
      if (statement.outcome === 'answered') answeredAt = performance.now()
      options.onStatement?.(statement)
    },
    onWaited: (milliseconds) => options.onWaited?.(milliseconds),
    onConnectFailure: () => options.onConnectFailure?.(),
  })
  const fail = (error: unknown): never => {
    try {
      return refuse(error)
    } catch (refusal) {
      if (refusal instanceof GatewayError && refusal.code === 'UNAVAILABLE')
        options.onUnavailable?.()
      throw refusal
    }
  }
  const nameOf = options.preparedStatements ? nameStatements() : () => ''
  const client = new PrismaClient({
    adapter: new PrismaPg(pool, {
      schema: options.schema,
      // Its lists have another text for each length.
      statementNameGenerator: () => '',
    }),
    omit: absentFrom(options.layout),
    ...bindTo(options.layout),
  })
  const guarded = client.$extends({
    name: 'query-only',
    query: {
      $allOperations({ operation, args, query }) {
        if (!(READS as readonly string[]).includes(operation))
          throw new GatewayError('INTERNAL', `The database client is query-only: ${operation}.`)
        return query(args).catch(fail)
      },
    },
  })
  const read = async <Row>({ text, values }: Prisma.Sql): Promise<Row[]> => {
    const statement = { name: nameOf(text), text, values, types: valueTypes }
    const { rows } = await pool.query<Row & object>(statement).catch(fail)
    return rows
  }
  return {
    models: readsOf(guarded),
    read,
    ping: async () => {
      // When every connection is busy with statements that are answered, another one need not stand in the queue.
      if (performance.now() - answeredAt < PING_MS) return
      await withinTime(read(Prisma.sql`SELECT 1`), PING_MS, silent)
    },
    lightest: (shares) => queue.lightest(shares),
    poolUse: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: queue.waiting }),
    close: async () => {
      await client.$disconnect()
      await pool.end()
    },
  }
}

/** The models with their reads and nothing else, because Prisma's client leads on to one that nothing guards. */
function readsOf(client: object): Models {
  const delegates = client as Readonly<Record<string, Readonly<Record<string, unknown>>>>
  const names = Object.keys(Prisma.ModelName).map(toDelegate)
  return Object.freeze(
    Object.fromEntries(
      names.map((name) => {
        const reads = READS.map((read) => [read, delegates[name]?.[read]] as const)
        return [name, Object.freeze(Object.fromEntries(reads))]
      }),
    ),
  ) as unknown as Models
}

/** What Prisma is not to select unless it is told to: columns that this database lacks, or keeps in another form. */
function absentFrom(layout: Layout) {
  return Object.fromEntries(
    models.map((model) => [
      toDelegate(model),
      Object.fromEntries(
        Object.keys(fieldsOf(model))
          .filter((field) => {
            const column = layout[model]?.columns[field]
            return !column || !isPrismasColumn(column.type)
          })
          .map((field) => [field, true]),
      ),
    ]),
  )
}

/** What Prisma's client calls a model. */
export function toDelegate(model: string): string {
  return `${model.charAt(0).toLowerCase()}${model.slice(1)}`
}

/**
 * Replaces the schema that the client was generated from. Its types are the same for every layout, so this text, which
 * it compiles statements with, is all that tells it the real names. It is printed anew, because the file may be of an
 * earlier version that did not know all models. The option is Prisma's own, for its tools, and not among those its
 * generated types list.
 */
function bindTo(layout: Layout): object {
  const inlineSchema = printLayout(layout)
  return {
    __internal: {
      configOverride: (config: object) => ({ ...config, inlineSchema }),
    },
  }
}

const PING_MS = 1000
const silent = () => new GatewayError('UNAVAILABLE', 'The database does not answer.')
/** Of one statement, when nothing else is said: far more than its rows should hold. */
const MOST_BYTES = 64 << 20
/** The longest wait for a connection, new or in use. */
const CONNECT_TIMEOUT_MS = 5000
/** PostgreSQL ends a statement at its `statement_timeout` and says so; one that says nothing for longer than this hangs. */
const ANSWER_GRACE_MS = 500
const WAITING_PER_CONNECTION = 100

function connection({ url, poolSize, statementTimeoutMs }: DatabaseOptions) {
  return {
    url,
    settings: [
      'default_transaction_read_only=on',
      'TimeZone=UTC', // Prisma's adapter reads the wall clock of a timestamptz as UTC
      'DateStyle=ISO', // Others may name the day before the month, and nobody could tell
      `statement_timeout=${statementTimeoutMs}`,
    ],
    config: {
      application_name: 'identity-gateway',
      max: poolSize,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    },
  }
}
