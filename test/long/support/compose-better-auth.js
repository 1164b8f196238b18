import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import pg from 'pg'

/*
 * The image of deploy/compose.yaml that is the reader's to bring: a Better Auth on port 3000 that makes its tables. It is told
 * nothing but what the file tells it, and where the options of the demo are.
 */

const { BETTER_AUTH_URL = '', OPTIONS = '' } = process.env
const { betterAuthOptions } = await import(OPTIONS)
const pool = new pg.Pool({
  host: 'postgres',
  user: 'better_auth',
  database: 'identity',
  password: readFileSync('/run/secrets/postgres-password', 'utf8').trim(),
})
const auth = betterAuth(
  betterAuthOptions({
    origin: BETTER_AUTH_URL,
    pool,
    secret: 'a secret that is long enough for Better Auth',
    tokenLifetime: '15m',
    algorithm: 'EdDSA',
  }),
)
await (await getMigrations(auth.options)).runMigrations()
createServer(toNodeHandler(auth)).listen(3000, () => process.stdout.write('It has its tables.\n'))
