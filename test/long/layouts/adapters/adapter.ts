import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BetterAuthOptions } from 'better-auth'
import type pg from 'pg'
import { load } from '../../../adapters/load.ts'

/** What Better Auth writes through where that is not Kysely, over tables of a schema that Better Auth's generator prints. */
export interface Adapter {
  readonly database: BetterAuthOptions['database']
  close(): Promise<void>
}

/** Makes the tables of what is configured. */
export type OpenAdapter = (
  options: BetterAuthOptions,
  pool: pg.Pool,
  databaseUrl: string,
) => Promise<Adapter>

/** What `auth generate` prints for a database adapter. */
export async function generateSchema(
  generator: 'generateDrizzleSchema' | 'generatePrismaSchema',
  options: BetterAuthOptions,
  database: unknown,
): Promise<string> {
  laterThanNode20()
  const { [generator]: generate } = await load('auth/api')
  const adapter = (database as (options: BetterAuthOptions) => object)(options)
  const file = './not-there-yet'
  const { code } = await (generate as Generate)({ options, adapter, file })
  return code
}

type Generate = (given: object) => Promise<{ readonly code: string }>

/** The generators are for Node.js 22 and later; this is all that they need of it. */
function laterThanNode20(): void {
  const groupBy = (items: Iterable<unknown>, keyOf: (item: unknown) => string) => {
    const groups: Record<string, unknown[]> = {}
    for (const item of items) {
      const key = keyOf(item)
      groups[key] = [...(groups[key] ?? []), item]
    }
    return groups
  }
  if (!('groupBy' in Object)) Object.assign(Object, { groupBy })
}

export interface Folder {
  readonly path: string
  write(file: string, text: string): Promise<string>
  remove(): Promise<void>
}

/** A folder in which modules find these packages. */
export async function createFolder(packages: string): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'adapter-'))
  await symlink(packages, join(path, 'node_modules'))
  return {
    path,
    async write(file, text) {
      await writeFile(join(path, file), text)
      return join(path, file)
    },
    remove: () => rm(path, { recursive: true }),
  }
}

/** Changes a schema as its owner would. @throws Error where there is no such text. */
export function replace(
  text: string,
  replacements: readonly (readonly [string | RegExp, string])[],
): string {
  return replacements.reduce((all, [from, to]) => {
    const changed = all.replace(from, to)
    if (changed === all) throw new Error(`The generator does not print: ${from}\n${all}`)
    return changed
  }, text)
}
