import { GatewayError } from '../domain/errors.ts'
import type { SessionLookup } from '../domain/session-lookup.ts'
import { type Database, Prisma } from './client.ts'

/**
 * Asks the function that the database's owner installs: tokens are in neither the client's schema nor the grants.
 * @param name Of the function, as SQL names it.
 * @param onRefusal Told when PostgreSQL refuses the call: the function is missing, not granted, or out of date.
 */
export function createSessionLookup(
  { read }: Pick<Database, 'read'>,
  name: string,
  onRefusal: (error: unknown) => void,
): SessionLookup {
  const userOf = Prisma.raw(name)
  return {
    findUserId: async (token) => {
      try {
        const [row] = await read<{ readonly userId: string | null }>(
          Prisma.sql`SELECT ${userOf}(${token}::text) AS "userId"`,
        )
        return row?.userId ?? null
      } catch (error) {
        if (!(error instanceof GatewayError && error.code === 'INTERNAL')) throw error
        onRefusal(error)
        throw new GatewayError('UNAVAILABLE', 'Sessions cannot be looked up.', { cause: error })
      }
    },
  }
}
