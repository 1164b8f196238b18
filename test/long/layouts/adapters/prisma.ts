import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import { SchemaEngine } from '@prisma/schema-engine-wasm/schema_engine_bg'
import { prismaAdapter } from 'better-auth/adapters/prisma'
import { pullSchema } from '../../../../src/introspection/engine.ts'
import { createFolder, generateSchema, type OpenAdapter, replace } from './adapter.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const settings = { provider: 'postgresql' } as const

/** A client that Prisma generates from the schema, and tables by the SQL that `prisma migrate diff` prints for it. */
export const openPrisma: OpenAdapter = async (options, pool, databaseUrl) => {
  const text = await generateSchema('generatePrismaSchema', options, prismaAdapter({}, settings))
  const schema = toProject(text)
  await pool.query(await migrationOf(schema, databaseUrl))

  const folder = await createFolder(`${root}/node_modules`)
  const path = await folder.write('schema.prisma', schema)
  const words = ['node_modules/prisma/build/index.js', 'generate', '--schema', path]
  await promisify(execFile)(process.execPath, words, { cwd: root })
  const { PrismaClient } = await import(`${folder.path}/generated/client.ts`)
  const client = new PrismaClient({ adapter: new PrismaPg({ connectionString: databaseUrl }) })
  return {
    database: prismaAdapter(client, settings),
    async close() {
      await client.$disconnect()
      await folder.remove()
    },
  }
}

/** By Prisma's schema engine in its build that needs no download. */
async function migrationOf(schema: string, databaseUrl: string): Promise<string> {
  // Loads the engine.
  await pullSchema(databaseUrl, 'public')
  const engine = await SchemaEngine.new(
    { datamodels: [['schema.prisma', schema]] },
    () => {},
    bindMigrationAwareSqlAdapterFactory(new PrismaPg({ connectionString: databaseUrl })),
  )
  try {
    const { stdout } = await engine.diff({
      from: { tag: 'empty' },
      to: { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content: schema }] },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    })
    if (!stdout) throw new Error('The engine prints no SQL.')
    return stdout
  } finally {
    engine.free()
  }
}

/** With a place for the client, which everybody has to add, and enumerations. */
function toProject(schema: string): string {
  const changed = replace(schema, [
    ['"prisma-client"', '"prisma-client"\n  output = "generated"'],
    [/(model User \{[^}]*\n +role +)String\?/, '$1UserRole?'],
    [
      /(model Invitation \{[^}]*\n +status +)String( +)@default\("pending"\)/,
      '$1InvitationStatus$2@default(pending)',
    ],
  ])
  return `${changed}
enum UserRole {
  user
  admin
}

enum InvitationStatus {
  pending
  accepted
  rejected
  canceled
}
`
}
