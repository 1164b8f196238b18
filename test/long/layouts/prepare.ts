import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { getAuthTables } from 'better-auth/db'
import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { Auth } from '../../../src/demo/better-auth.ts'
import { printOwnerSql } from '../../../src/gateway.ts'
import { introspect, type Report } from '../../../src/introspection/introspect.ts'
import { models } from '../../../src/layout/contract.ts'
import { createProject, type Project } from '../../introspection/project.ts'
import { asSuperuser, createDatabase, type Database } from '../../support/database.ts'
import {
  type Configuration,
  configure,
  coreTables,
  createAuth,
  migrate,
  pluginSchemas,
} from './better-auth.ts'
import type { Case } from './cases.ts'
import { camelCase } from './namings.ts'
import { createIds, createWorld, type World } from './world.ts'

export interface Prepared {
  readonly database: Database
  readonly auth: Auth
  readonly world: World
  readonly project: Project
  readonly report: Report
  /** What a gateway is told of this database. */
  readonly environment: Readonly<Record<string, string>>
  stop(): Promise<void>
}

/** A database that Better Auth made and filled, introspected, with the role that the printed SQL makes. */
export async function prepare(it: Case): Promise<Prepared> {
  const database = await createDatabase('empty')
  const schema = it.schema ?? 'public'
  if (it.schema) {
    await database.sql(`create schema ${quote(schema)}`)
    await asSuperuser(`alter database ${database.name} set search_path = ${quote(schema)}`)
  }
  if (it.timeZone)
    await asSuperuser(`alter database ${database.name} set timezone = '${it.timeZone}'`)
  const pool = new pg.Pool({ connectionString: database.url, application_name: 'better-auth' })
  pool.on('error', () => {})
  const settings: Configuration = {
    naming: it.camelCasePlugin ? camelCase : it.naming,
    database: it.camelCasePlugin ? camelCasing(pool) : pool,
    organizations: it.organizations !== false,
    library: it.library,
    plugins: it.plugins ?? [],
  }
  const generateId = it.serial ? 'serial' : it.uuid && 'uuid'
  const adapter = await it.adapter?.(configure({ ...settings, generateId }), pool, database.url)
  if (it.inSteps) await migrate({ ...settings, generateId, plain: true })
  if (!adapter) await migrate({ ...settings, generateId })
  if (it.altered) await database.sql(it.altered)
  const counted = it.serial ? 'serial' : createIds()
  const auth = createAuth({
    ...settings,
    ...(adapter && { database: adapter.database }),
    generateId: it.randomIds ? undefined : counted,
  })
  const world = await createWorld(auth, settings.organizations)
  await auth.api.getJwks()
  if (it.aged) await database.sql(it.aged)

  const project = await createProject()
  const folder = dirname(project.schemaPath)
  const report = await introspect({
    databaseUrl: database.url,
    databaseSchema: schema,
    schemaPath: project.schemaPath,
    ...(it.told === 'overrides' && { overridesPath: await writeOverrides(folder, settings) }),
    ...(it.told === 'auth' && { authPath: await writeAuthModule(folder, it, database.url) }),
  })
  const reader = await createReader(database, project, schema)
  return {
    database,
    auth,
    world,
    project,
    report,
    environment: {
      DATABASE_URL: reader.url,
      DATABASE_SCHEMA: schema,
      PRISMA_SCHEMA_FILE: project.schemaPath,
    },
    async stop() {
      await adapter?.close()
      await pool.end()
      await project.remove()
      await database.drop()
      await asSuperuser(`drop role ${reader.role}`)
    },
  }
}

/** A role that the printed SQL makes, in a database that is for nothing else. */
export async function createReader(
  database: { readonly url: string; sql(text: string): Promise<unknown> },
  project: Pick<Project, 'layout'>,
  schema = 'public',
): Promise<{ readonly role: string; readonly url: string }> {
  const role = `layout_${randomBytes(6).toString('hex')}`
  await database.sql(printOwnerSql(project.layout(), { role, schema }, [], { revokePublic: true }))
  await database.sql(`alter role ${role} password 'reader'`)
  const url = Object.assign(new URL(database.url), { username: role, password: 'reader' })
  return { role, url: url.href }
}

function camelCasing(pool: pg.Pool): NonNullable<Configuration['database']> {
  const db = new Kysely({
    dialect: new PostgresDialect({ pool }),
    plugins: [new CamelCasePlugin()],
  })
  return { db, type: 'postgres', transaction: true }
}

/** Every name there is, by the gateway's models. */
async function writeOverrides(folder: string, settings: Configuration): Promise<string> {
  const tables = getAuthTables(configure(settings))
  const overrides = models.flatMap((model) => {
    const key = `${model.charAt(0).toLowerCase()}${model.slice(1)}`
    if (!tables[key]) return []
    const { modelName, fields } = tables[key]
    const hidden = ['memberCount', 'membershipKey', 'privateKey', 'activeTeam']
    const columns = Object.entries(fields).filter(
      ([field]) => !hidden.includes(field) && (key !== 'account' || !/token|password/i.test(field)),
    )
    const names = columns.map(([field, { fieldName = field }]) => [field, fieldName])
    return [[model, { table: modelName, columns: Object.fromEntries(names) }] as const]
  })
  const path = join(folder, 'overrides.json')
  await writeFile(path, JSON.stringify(Object.fromEntries(overrides)))
  return path
}

/** As an application has one. */
async function writeAuthModule(folder: string, { naming }: Case, url: string): Promise<string> {
  const path = join(folder, 'auth.mjs')
  const schemas = pluginSchemas(naming)
  const schema = (name: string) => `schema: ${JSON.stringify(schemas[name])}`
  await writeFile(
    path,
    `import { betterAuth } from 'better-auth'
import { admin, anonymous, jwt, organization, phoneNumber, twoFactor, username } from 'better-auth/plugins'
import pg from 'pg'
const pool = new pg.Pool({ connectionString: ${JSON.stringify(url)} })
pool.on('error', () => {})
export const auth = betterAuth({
  ...${JSON.stringify(coreTables(naming))},
  baseURL: 'http://127.0.0.1:3999',
  secret: 'a secret of at least thirty-two characters',
  database: pool,
  telemetry: { enabled: false },
  plugins: [
    organization({ teams: { enabled: true }, dynamicAccessControl: { enabled: true }, ${schema('organization')} }),
    admin({ ${schema('admin')} }), jwt({ ${schema('jwt')} }), username({ ${schema('username')} }),
    phoneNumber({ ${schema('phoneNumber')} }), twoFactor({ ${schema('twoFactor')} }), anonymous({ ${schema('anonymous')} }),
  ],
})
`,
  )
  return path
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
