import { writeFile } from 'node:fs/promises'
import { canonicalise, type Report } from './canonicalise.ts'
import { pullSchema } from './engine.ts'

export type { Report } from './canonicalise.ts'

export interface ReadSchemaOptions {
  readonly databaseUrl: string
  /** The PostgreSQL schema with Better Auth's tables, such as `public`. */
  readonly databaseSchema: string
}

export interface IntrospectOptions extends ReadSchemaOptions {
  /** The schema.prisma to write. */
  readonly schemaPath: string
}

/**
 * Reads how a database names Better Auth's tables and writes that down as the canonical schema.prisma. The client that was
 * generated from another one serves it as well: their types are the same.
 * @throws Error naming every problem at once; nothing has been written then.
 */
export async function introspect(options: IntrospectOptions): Promise<Report> {
  const { schema, report } = await readSchema(options)
  await writeFile(options.schemaPath, schema)
  return report
}

/**
 * The text of the canonical schema.prisma of a database.
 * @throws Error naming every problem at once.
 */
export async function readSchema(
  options: ReadSchemaOptions,
): Promise<{ readonly schema: string; readonly report: Report }> {
  const raw = await pullSchema(options.databaseUrl, options.databaseSchema)
  const { schema, report, problems } = await canonicalise(raw)
  if (problems.length > 0)
    throw new Error(
      [
        `The tables in PostgreSQL schema "${options.databaseSchema}" cannot be read as Better Auth's:`,
        ...problems.map((problem) => `- ${problem}`),
      ].join('\n'),
    )
  return { schema, report }
}
