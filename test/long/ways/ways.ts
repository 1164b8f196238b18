import { introspect } from '../../../src/introspection/introspect.ts'
import type { Layout } from '../../../src/layout/layout.ts'
import { pluginModels } from '../../../src/layout/plugin-tables.ts'
import { createProject } from '../../introspection/project.ts'
import type { Database } from '../../support/database.ts'
import { startPoolerImitation } from '../../support/pooler-imitation.ts'
import { createReader, type Prepared } from '../layouts/prepare.ts'
import { startPgBouncer } from '../support/pgbouncer.ts'
import { binariesOf, type Elsewhere, startElsewhere } from './elsewhere.ts'

export interface Way {
  open(prepared: Prepared): Promise<Opened>
  /** What shows, to a connection of this URL, that it is this way and no other: SQL that answers one true value. */
  readonly proof?: string
  /** What doctor warns of, beside nothing: the beginnings of its sentences. */
  readonly warnings?: readonly string[]
}

export interface Opened {
  /** What a gateway is told, beside what it is told anyway. */
  readonly environment: Readonly<Record<string, string>> & { readonly DATABASE_URL: string }
  close(): Promise<unknown> | undefined
}

const PREPARED = 'A pooler lets connections share sessions and does not carry prepared statements'
const VIEWS_HAVE_NO_INDEXES = 'No index on'

/** How a gateway gets to the rows that another reads directly from the tables of PostgreSQL 18. */
export const ways: Readonly<Record<string, Way>> = {
  'PgBouncer in transaction mode, which refuses options': {
    open: async (prepared) => {
      const url = prepared.environment.DATABASE_URL ?? ''
      const pooler = await startPgBouncer(url)
      return { environment: { DATABASE_URL: pooler.through(url) }, close: () => pooler.stop() }
    },
    warnings: [PREPARED],
  },
  "an imitation of Neon's pooler": imitated("Neon's pooler"),
  'an imitation of RDS Proxy': imitated('RDS Proxy'),
  'an imitation of Supavisor, which drops options': imitated('Supavisor'),
  'TLS with an authority of one’s own': elsewhere(({ url, authority }) => {
    const address = Object.assign(new URL(url), { hostname: 'localhost' })
    address.searchParams.set('sslmode', 'verify-full')
    address.searchParams.set('sslrootcert', authority)
    return address.href
  }, 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'),
  'a Unix socket': elsewhere(({ url, socket }) => {
    const { username, password, pathname, port } = new URL(url)
    return `postgresql://${username}:${password}@${pathname}?host=${socket}&port=${port}`
  }, 'select inet_client_addr() is null'),
  'PostgreSQL 15': elsewhere(
    ({ url }) => url,
    `select current_setting('server_version') like '15.%'`,
    15,
  ),
  'row-level security with the printed policies': {
    async open({ database, project }) {
      const tables = tablesOf(project.layout())
      const each = (action: string) =>
        database.sql(tables.map((name) => `alter table ${name} ${action}`).join(';'))
      await each('enable row level security')
      const reader = await createReader(database, project)
      return {
        environment: { DATABASE_URL: reader.url },
        async close() {
          await drop(database, reader.role)
          await each('disable row level security')
        },
      }
    },
    proof: `select row_security_active('users') and row_security_active('jwks')`,
  },
  'views in place of tables': {
    async open(prepared) {
      const { database, project } = prepared
      await database.sql('create schema seen')
      for (const name of tablesOf(project.layout()))
        await database.sql(`create view seen.${name} as select * from public.${name}`)
      return introspected(prepared, 'seen', () => database.sql('drop schema seen cascade'))
    },
    warnings: [VIEWS_HAVE_NO_INDEXES],
  },
  'two schemas, joined by the views that introspect advises': {
    async open(prepared) {
      const { database } = prepared
      const moved = ['users', 'sessions', 'accounts', 'jwks']
      await database.sql('create schema auth')
      for (const name of moved) await database.sql(`alter table ${name} set schema auth`)
      const before = await createProject()
      const { tablesElsewhere } = await introspectInto(database, 'auth', before.schemaPath)
      await before.remove()
      for (const advice of tablesElsewhere) {
        const [, schema, name] =
          /schema ("\w+") has a table ("\w+"), .* CREATE VIEW/.exec(advice) ?? []
        await database.sql(`create view auth.${name} as select * from ${schema}.${name}`)
      }
      return introspected(prepared, 'auth', async () => {
        for (const name of moved) await database.sql(`alter table auth.${name} set schema public`)
        await database.sql('drop schema auth cascade')
      })
    },
    warnings: [VIEWS_HAVE_NO_INDEXES],
  },
}

/** What it does to connections as they begin; behind it each has a session of its own. */
function imitated(name: Parameters<typeof startPoolerImitation>[0]): Way {
  return {
    async open(prepared) {
      const pooler = await startPoolerImitation(name)
      const url = pooler.through(prepared.environment.DATABASE_URL ?? '')
      return { environment: { DATABASE_URL: url }, close: async () => pooler.stop() }
    },
  }
}

function elsewhere(urlOf: (it: Elsewhere) => string, proof: string, version?: number): Way {
  return {
    async open(prepared) {
      const binaries = version === undefined ? undefined : await binariesOf(version)
      const it = await startElsewhere(prepared, binaries)
      return { environment: { DATABASE_URL: urlOf(it) }, close: () => it.stop() }
    },
    proof,
  }
}

/** By a role and a schema.prisma for another PostgreSQL schema of the same database. */
async function introspected(
  { database }: Prepared,
  schema: string,
  takeBack: () => Promise<unknown>,
): Promise<Opened> {
  const project = await createProject()
  const { schemaPath } = project
  const { absentModels, tablesElsewhere } = await introspectInto(database, schema, schemaPath)
  // Whose plug-in no Better Auth of these tests has.
  const absent = absentModels.filter(
    (model) => !(pluginModels as readonly string[]).includes(model),
  )
  const missing = [...absent, ...tablesElsewhere]
  if (missing.length > 0) throw new Error(missing.join('\n'))
  const reader = await createReader(database, project, schema)
  return {
    environment: {
      DATABASE_URL: reader.url,
      DATABASE_SCHEMA: schema,
      PRISMA_SCHEMA_FILE: schemaPath,
    },
    async close() {
      await drop(database, reader.role)
      await takeBack()
      await project.remove()
    },
  }
}

function introspectInto({ url }: Database, databaseSchema: string, schemaPath: string) {
  return introspect({ databaseUrl: url, databaseSchema, schemaPath })
}

function tablesOf(layout: Layout): readonly string[] {
  return Object.values(layout).flatMap((table) => table?.name ?? [])
}

async function drop({ sql }: Database, role: string): Promise<void> {
  await sql(`drop owned by ${role}`)
  await sql(`drop role ${role}`)
}
