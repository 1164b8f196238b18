import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'

export interface Database {
  readonly name: string
  /** As the owner, who may do everything. */
  readonly url: string
  /** Runs one statement as the owner. */
  sql<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>
  /** Drops the database, also when somebody is still connected. */
  drop(): Promise<void>
}

/** A database of its own in the run's PostgreSQL: with Better Auth's tables (plural, snake_case), or empty. */
export async function createDatabase(
  content: 'better-auth' | 'empty' = 'better-auth',
): Promise<Database> {
  const template = content === 'empty' ? 'template0' : inject('templateDatabase')
  const name = `test_${randomBytes(6).toString('hex')}`
  await asSuperuser(`create database ${name} template ${template}`)
  const address = new URL(inject('postgresUrl'))
  address.pathname = name
  const pool = new pg.Pool({ connectionString: address.href, max: 2, application_name: 'test' })
  pool.on('error', () => {})
  return {
    name,
    url: address.href,
    async sql<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) {
      const { rows } = await pool.query<Row>(text, [...values])
      return rows
    },
    async drop() {
      await pool.end()
      await asSuperuser(`drop database ${name} with (force)`)
    },
  }
}

/** Runs one statement outside of every test's database. */
export async function asSuperuser(statement: string): Promise<void> {
  const address = new URL(inject('postgresUrl'))
  address.pathname = 'postgres'
  const client = new pg.Client({ connectionString: address.href, application_name: 'test' })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
