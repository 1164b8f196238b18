import { loadNames } from './config/config.ts'
import { readLayout } from './config/layout.ts'
import { type Models, openDatabase } from './postgres/client.ts'

export { ConfigError } from './config/config.ts'
export type { Models } from './postgres/client.ts'

export interface ClientOptions {
  /** The PostgreSQL database of Better Auth: `postgresql://…`. */
  readonly url: string
  /** The PostgreSQL schema with Better Auth's tables (`public`). */
  readonly schema?: string
  /** The path of the schema.prisma that the command introspect wrote for this database (the house layout). */
  readonly schemaFile?: string
  /** The most connections (10). */
  readonly poolSize?: number
  /** The longest a statement may take (2000). */
  readonly statementTimeoutMs?: number
}

export interface Client {
  /** Better Auth's tables under their canonical names, each with Prisma's reads and nothing that writes. */
  readonly models: Models
  /** Lets go of connections. */
  close(): Promise<void>
}

/**
 * Prisma's client over the tables of any Better Auth database: typed, and query-only in its types, at run time and in the
 * database session. There are no doors here: whoever holds it sees everything that the role may read. Reads fail with
 * GatewayError UNAVAILABLE, TIMEOUT or INTERNAL.
 * @throws ConfigError when the schema file cannot be read, or is not one that introspect wrote.
 */
export function openClient({ url, schema, schemaFile, ...limits }: ClientOptions): Client {
  const names = loadNames({
    DATABASE_SCHEMA: schema,
    PRISMA_SCHEMA_FILE: schemaFile,
  })
  const { models, close } = openDatabase({
    poolSize: 10,
    preparedStatements: false,
    ...names,
    ...limits,
    url,
    layout: readLayout(names),
  })
  return { models, close }
}
