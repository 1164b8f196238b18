import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { canonicalise, type Report } from './canonicalise.ts'
import { pullSchema } from './engine.ts'

export type { Report } from './canonicalise.ts'

export interface IntrospectOptions {
  readonly databaseUrl: string
  /** The PostgreSQL schema with Better Auth's tables, such as `public`. */
  readonly databaseSchema: string
  /** The schema.prisma to write; the client and the layout are generated where it says. */
  readonly schemaPath: string
}

/**
 * Reads how a database names Better Auth's tables, writes that down as the canonical schema.prisma and generates from it.
 * @throws Error naming every problem at once; nothing has been written then.
 */
export async function introspect(options: IntrospectOptions): Promise<Report> {
  const raw = await pullSchema(options.databaseUrl, options.databaseSchema)
  const { schema, report, problems } = await canonicalise(raw)
  if (problems.length > 0)
    throw new Error(
      [
        `The tables in PostgreSQL schema "${options.databaseSchema}" cannot be read as Better Auth's:`,
        ...problems.map((problem) => `- ${problem}`),
      ].join('\n'),
    )
  await writeFile(options.schemaPath, schema)
  await generate(resolve(options.schemaPath))
  return report
}

/** Runs from the package's folder, where Prisma finds its configuration and the layout generator. */
async function generate(schemaPath: string): Promise<void> {
  const prisma = createRequire(import.meta.url).resolve('prisma/build/index.js')
  await promisify(execFile)(
    process.execPath,
    [prisma, 'generate', '--no-hints', '--schema', schemaPath],
    { cwd: fileURLToPath(new URL('../..', import.meta.url)) },
  )
}
