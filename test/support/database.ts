import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { inject } from 'vitest'

export interface Database {
  readonly name: string
  /** As the owner, who may do everything. */
  readonly url: string
  /** Runs one statement as the owner. */
  sql<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>
  /** Drops the database, after a moment also when somebody is still connected. */
  drop(): Promise<void>
}

/**
 * A database of its own in the run's PostgreSQL: empty, with Better Auth's tables (plural, snake_case), or with the cast
 * in these.
 */
export async function createDatabase(
  content: 'cast' | 'better-auth' | 'empty' = 'better-auth',
): Promise<Database> {
  const template = templateOf[content]()
  const name = `test_${randomBytes(6).toString('hex')}`
  await asSuperuser(`create database ${name} template ${template}`)
  const address = new URL(inject('postgresUrl'))
  address.pathname = name
  const pool = createPool(address.href, 2)
  return {
    name,
    url: address.href,
    async sql<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) {
      const { rows } = await pool.query<Row>(text, [...values])
      return rows
    },
    async drop() {
      await pool.end()
      await connectionsGone(name)
      await asSuperuser(`drop database ${name} with (force)`)
    },
  }
}

const templateOf = {
  cast: () => inject('cast').database,
  'better-auth': () => inject('templateDatabase'),
  empty: () => 'template0',
}

/**
 * Waits, for two seconds at most, until nobody is connected to the database. A pool says that it has ended while its
 * connections still close, and one that is forced out then is an error of a pool that may have no listener for it: it
 * fails the run.
 */
async function connectionsGone(database: string): Promise<void> {
  const connected = `select 1 from pg_stat_activity where datname = '${database}'`
  for (const end = Date.now() + 2_000; Date.now() < end; await setTimeout(10))
    if ((await asSuperuser(connected)).length === 0) return
}

/** Runs one statement outside of every test's database. */
export async function asSuperuser(statement: string): Promise<unknown[]> {
  superuser ??= createPool(
    Object.assign(new URL(inject('postgresUrl')), { pathname: 'postgres' }).href,
    1,
  )
  return (await superuser.query(statement)).rows
}

/** One for all files of a worker: to connect costs more than most statements. */
let superuser: pg.Pool | undefined

function createPool(connectionString: string, max: number): pg.Pool {
  const pool = new pg.Pool({ connectionString, max, application_name: 'test' })
  pool.on('error', () => {})
  return pool
}
