import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { startBetterAuth } from '../../src/demo/better-auth.ts'
import { type Postgres, startPostgres } from '../../src/demo/postgres.ts'
import { findOrStartRedis, type RedisServer } from '../../src/demo/redis.ts'
import { type SignedUpCast, signUpCast } from './cast.ts'
import { installProgram } from './install-program.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The superuser's URL of the run's PostgreSQL. */
    postgresUrl: string
    /** Names the database in which Better Auth has made its tables. */
    templateDatabase: string
    /** Who is in every world, and the database in which they have signed up. */
    cast: SignedUpCast
    /** The file to which PostgreSQL writes every statement. */
    statementLog: string
    /** The run's Redis, or how to get one. */
    redis: { readonly url: string } | { readonly missing: string }
  }
}

let postgres: Postgres | undefined
let redis: RedisServer | null = null

/** One PostgreSQL and one Redis for the whole run, on ports and in directories of their own. */
export async function setup(project: TestProject): Promise<void> {
  const templateDatabase = 'better_auth_template'
  const prepare = async () => {
    postgres = await startPostgres({ database: templateDatabase, settings: logStatements })
    const betterAuth = await startBetterAuth({ databaseUrl: postgres.url })
    await betterAuth.stop()
    project.provide('postgresUrl', postgres.url)
    project.provide('templateDatabase', templateDatabase)
    project.provide('statementLog', postgres.log)
    project.provide('cast', await signUpCast(await copyOf(postgres.url, 'cast_template')))
  }
  const find = async () => {
    redis = await findRedis()
    project.provide('redis', redis === null ? { missing: howToGetRedis } : { url: redis.url })
  }
  for (const outcome of await Promise.allSettled([prepare(), find()]))
    if (outcome.status === 'rejected') {
      await teardown()
      throw outcome.reason
    }
}

async function copyOf(url: string, name: string): Promise<string> {
  const { pathname } = new URL(url)
  const client = new pg.Client(Object.assign(new URL(url), { pathname: 'postgres' }).href)
  await client.connect()
  try {
    await client.query(`create database ${name} template ${pathname.slice(1)}`)
  } finally {
    await client.end()
  }
  return Object.assign(new URL(url), { pathname: name }).href
}

export async function teardown(): Promise<void> {
  await Promise.all([postgres?.stop(), redis?.stop()])
}

const howToGetRedis =
  'These tests need a Redis: put redis-server on the PATH (brew install redis, apt-get install redis-server) or set REDIS_URL.'

const logStatements = {
  max_connections: '400',
  log_statement: 'all',
  log_line_prefix: '|%d|%a|',
}

async function findRedis(): Promise<RedisServer | null> {
  const url = process.env.REDIS_URL
  const found = await findOrStartRedis({ url })
  if (found !== null) return found
  if (await installProgram('redis-server')) return findOrStartRedis({ url })
  if (process.env.CI === 'true') throw new Error(howToGetRedis)
  return null
}
