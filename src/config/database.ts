import { fileURLToPath } from 'node:url'
import { group, optional, required, withDefault } from './group.ts'
import { onOff, text, textFile, timeZone, wholeNumber } from './kinds.ts'
import { postgresUrl } from './postgres-url.ts'

/** What the command `introspect` writes unless it is told otherwise. */
const PACKAGED_SCHEMA = new URL('../../prisma/schema.prisma', import.meta.url)

const url = required(postgresUrl, 'the PostgreSQL database of Better Auth')
const schema = withDefault(
  text,
  'public',
  "the PostgreSQL schema of Better Auth's tables",
  '`public`, or what `DATABASE_URL` says (`schema`, or `search_path` in `options`)',
)

/** Which tables of which database. */
export const place = group({
  title: 'Place',
  variables: { DATABASE_URL: url, DATABASE_SCHEMA: schema },
  make: (env) => ({ url: env.DATABASE_URL, schema: env.DATABASE_SCHEMA }),
})

/** Where Better Auth's tables are, what they are called and how long a statement may take. */
export const names = group({
  title: 'Names',
  variables: {
    DATABASE_SCHEMA: schema,
    PRISMA_SCHEMA_FILE: withDefault(
      textFile,
      fileURLToPath(PACKAGED_SCHEMA),
      'the schema that `introspect` wrote for this database',
      '`prisma/schema.prisma` of this package',
    ),
    DATABASE_STATEMENT_TIMEOUT_MS: withDefault(
      wholeNumber(1, 600_000, 'milliseconds'),
      '2000',
      'the longest that a statement may take',
    ),
    DATABASE_TIMESTAMP_ZONE: withDefault(
      timeZone,
      'UTC',
      'whose clock columns of type `timestamp` (without time zone) were written by: that of the process that Better Auth runs in',
    ),
  },
  make: (env) => ({
    schema: env.DATABASE_SCHEMA,
    timestampZone: env.DATABASE_TIMESTAMP_ZONE,
    /** The text of the canonical schema.prisma that says what this database calls its tables and columns. */
    prismaSchema: env.PRISMA_SCHEMA_FILE,
    statementTimeoutMs: env.DATABASE_STATEMENT_TIMEOUT_MS,
  }),
})

export const database = group({
  title: 'Database',
  variables: {
    DATABASE_URL: url,
    DATABASE_LISTEN_URL: optional(
      postgresUrl,
      '`DATABASE_URL`',
      'with `PERMISSION_EVENTS=postgres`: the primary, and not through a pooler that shares sessions',
    ),
    ...names.variables,
    DATABASE_POOL_SIZE: withDefault(
      wholeNumber(1, 1000),
      '10',
      'the most connections to the database',
      '`10`, or what `DATABASE_URL` says (`connection_limit`)',
    ),
    DATABASE_PREPARED_STATEMENTS: withDefault(
      onOff,
      'on',
      '`off` behind a pooler in transaction mode that does not carry prepared statements, such as PgBouncer before 1.21',
    ),
  },
  make: (env) => ({
    database: {
      ...names.make(env),
      url: env.DATABASE_URL,
      /** A connection of its own that stays in one session, for LISTEN: no pooler that shares it, no standby. */
      listenUrl: env.DATABASE_LISTEN_URL ?? env.DATABASE_URL,
      poolSize: env.DATABASE_POOL_SIZE,
      preparedStatements: env.DATABASE_PREPARED_STATEMENTS,
    },
  }),
})
