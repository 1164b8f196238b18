import type { BetterAuthOptions } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import {
  admin,
  anonymous,
  jwt,
  lastLoginMethod,
  organization,
  phoneNumber,
  twoFactor,
  username,
} from 'better-auth/plugins'
import pg from 'pg'

/** The plug-ins the gateway knows, with Better Auth's own names: singular, camelCase. */
export const allPlugins = [
  organization({ teams: { enabled: true }, dynamicAccessControl: { enabled: true } }),
  admin(),
  jwt(),
  username(),
  phoneNumber({ sendOTP: () => {} }),
  twoFactor(),
  anonymous(),
  lastLoginMethod({ storeInDatabase: true }),
]

/** Lets Better Auth make its tables, as `auth migrate` does. */
export async function migrate(databaseUrl: string, options: BetterAuthOptions): Promise<void> {
  const pool = new pg.Pool({ connectionString: databaseUrl })
  try {
    const { runMigrations } = await getMigrations({ ...options, database: pool })
    await runMigrations()
  } finally {
    await pool.end()
  }
}
