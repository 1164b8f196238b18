import { existsSync } from 'node:fs'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lastLoginMethod } from 'better-auth/plugins'
import pg from 'pg'
import { nobody } from '../../../src/demo/supervised.ts'
import { createCertificate } from '../../support/certificate.ts'
import { installProgram } from '../../support/install-program.ts'
import { startPostgresProcess } from '../../support/postgres-process.ts'
import { migrate } from '../layouts/better-auth.ts'
import { type Case, house } from '../layouts/cases.ts'
import { createReader, type Prepared } from '../layouts/prepare.ts'

/** Another PostgreSQL, with the same rows. */
export interface Elsewhere {
  /** As the role that reads, over TCP. */
  readonly url: string
  /** The folder of its socket. */
  readonly socket: string
  /** The certificate of the authority that gave it its own. */
  readonly authority: string
  stop(): Promise<void>
}

/** The house layout as it is committed, which has a column that not every version of Better Auth knows of. */
export const everyColumn = {
  ...house,
  plugins: [
    lastLoginMethod({
      storeInDatabase: true,
      schema: { user: { lastLoginMethod: 'last_login_method' } },
    }),
  ],
} satisfies Case

/** It speaks TLS to whoever wants to, with a certificate for `localhost`. */
export async function startElsewhere(prepared: Prepared, binaries?: string): Promise<Elsewhere> {
  const socket = await mkdtemp(join(tmpdir(), 'identity-socket-'))
  if (nobody.uid !== undefined) await chown(socket, nobody.uid, nobody.gid)
  const { certificate, key, remove } = createCertificate('localhost')
  const server = await startPostgresProcess({
    binaries,
    settings: {
      unix_socket_directories: socket,
      ssl: 'on',
      ssl_cert_file: certificate,
      ssl_key_file: key,
    },
  })
  const pool = new pg.Pool({ connectionString: server.url, max: 1 })
  pool.on('error', () => {})
  const { naming, plugins } = everyColumn
  await migrate({ naming, database: pool, organizations: true, plugins })
  await copy(prepared, pool)
  const sql = (text: string) => pool.query(text)
  const { url } = await createReader({ sql, url: server.url }, prepared.project)
  return {
    url,
    socket,
    authority: certificate,
    async stop() {
      await pool.end()
      await server.remove()
      await rm(socket, { recursive: true })
      remove()
    },
  }
}

async function copy({ database }: Prepared, to: pg.Pool): Promise<void> {
  const tables = await database.sql<{ name: string }>(
    `select quote_ident(relname) as name from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'r'`,
  )
  // Triggers, and with them foreign keys, are for what has no order of its own.
  await to.query('set session_replication_role = replica')
  for (const { name } of tables) {
    const [found] = await database.sql<{ rows: string | null }>(
      `select json_agg(it)::text as rows from ${name} as it`,
    )
    await to.query(
      `insert into ${name} select * from json_populate_recordset(null::${name}, coalesce($1, '[]')::json)`,
      [found?.rows],
    )
  }
  const indexes = await database.sql<{ made: string }>(
    `select replace(indexdef, 'INDEX ', 'INDEX IF NOT EXISTS ') as made
      from pg_indexes where schemaname = 'public'`,
  )
  for (const { made } of indexes) await to.query(made)
}

/** Where Debian has the programs of a version of PostgreSQL. @throws Error that says how to get it. */
export async function binariesOf(version: number): Promise<string> {
  const folder = `/usr/lib/postgresql/${version}/bin`
  const program = `postgresql-${version}`
  if (!existsSync(folder) && !(await installProgram(program)))
    throw new Error(`This test needs PostgreSQL ${version}: apt-get install ${program}.`)
  return folder
}
