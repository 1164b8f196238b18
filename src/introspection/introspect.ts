import { writeFile } from 'node:fs/promises'
import { parseLayout } from '../layout/schema-file.ts'
import { findSessionObstacle } from '../layout/sessions.ts'
import { readFields } from './additional.ts'
import { readAuthModule } from './auth-module.ts'
import { type Report as Canonicalised, canonicalise } from './canonicalise.ts'
import { findElsewhere } from './elsewhere.ts'
import { pullSchema } from './engine.ts'
import { combine } from './known-names.ts'
import { readOverrides } from './overrides.ts'

export interface Report extends Canonicalised {
  /** Whole sentences about tables that were not looked at, for models that are absent. */
  readonly tablesElsewhere: readonly string[]
  /** Whole sentences about credentials that a gateway cannot accept with this database and, where it was asked, this Better Auth. */
  readonly refusedCredentials: readonly string[]
}

export interface ReadSchemaOptions {
  readonly databaseUrl: string
  /** The PostgreSQL schema with Better Auth's tables, such as `public`. */
  readonly databaseSchema: string
  /** A JSON file with names that nothing else tells. */
  readonly overridesPath?: string | undefined
  /** The module that makes Better Auth, which is asked for names. */
  readonly authPath?: string | undefined
  /** A JSON file with fields of the application's own to be shown. */
  readonly fieldsPath?: string | undefined
  /** Throws when the graph cannot be made from this schema. */
  readonly verify?: (schema: string) => void
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
  const { overridesPath, authPath, fieldsPath } = options
  const known = combine(
    overridesPath === undefined ? {} : await readOverrides(overridesPath),
    authPath === undefined ? {} : await readAuthModule(authPath),
  )
  const asked = fieldsPath === undefined ? {} : await readFields(fieldsPath)
  const raw = await pullSchema(options.databaseUrl, options.databaseSchema)
  const { schema, report, problems } = await canonicalise(raw, known, asked)
  // Of some it was said that there are none.
  const missing = report.absentModels.filter((model) => known[model]?.table?.name !== null)
  const { databaseUrl, databaseSchema } = options
  const tablesElsewhere = await findElsewhere(missing, databaseUrl, databaseSchema)
  if (problems.length > 0)
    throw new Error(
      [
        `The tables in PostgreSQL schema "${options.databaseSchema}" cannot be read as Better Auth's:`,
        ...[...problems, ...tablesElsewhere].map((problem) => `- ${problem}`),
      ].join('\n'),
    )
  try {
    options.verify?.(schema)
  } catch (error) {
    throw new Error(`No graph can be made of it: ${error instanceof Error ? error.message : error}`)
  }
  const obstacle = findSessionObstacle(parseLayout(schema))
  const refusedCredentials = obstacle === null ? [] : [obstacle]
  return { schema, report: { ...report, tablesElsewhere, refusedCredentials } }
}
