import { betterAuth } from 'better-auth'
import { getAuthTables } from 'better-auth/db'
import { getMigrations } from 'better-auth/db/migration'
import * as plugins from 'better-auth/plugins'
import { createAccessControl } from 'better-auth/plugins/access'

/** What databases are made and filled with, of one version of Better Auth. */
export interface Library {
  readonly betterAuth: typeof betterAuth
  readonly getAuthTables: typeof getAuthTables
  readonly getMigrations: typeof getMigrations
  readonly createAccessControl: typeof createAccessControl
  readonly plugins: Pick<
    typeof plugins,
    | 'admin'
    | 'anonymous'
    | 'bearer'
    | 'jwt'
    | 'organization'
    | 'phoneNumber'
    | 'twoFactor'
    | 'username'
  >
}

/** The version that this project installs. */
export const installed: Library = {
  betterAuth,
  getAuthTables,
  getMigrations,
  createAccessControl,
  plugins,
}

/** Another version, from the package folder whose `import` this is. */
export async function libraryFrom(load: Load, name = 'better-auth'): Promise<Library> {
  const [own, db, plugins, access] = await Promise.all(
    ['', '/db', '/plugins', '/plugins/access'].map((path) => load(`${name}${path}`)),
  )
  // Since 1.5 it is a module of its own.
  const { getMigrations } = db?.getMigrations ? db : await load(`${name}/db/migration`)
  return { ...own, ...db, ...access, getMigrations, plugins } as unknown as Library
}

/** A module that is found from the folder of whoever made this function. */
export type Load = (specifier: string) => Promise<Readonly<Record<string, unknown>>>
