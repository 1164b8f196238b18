import { GatewayError } from '../domain/errors.ts'
import type { SessionLookup } from '../domain/session-lookup.ts'
import { sessionFunctionName } from '../layout/owner-sql.ts'
import { type Database, Prisma } from './client.ts'

/** Asks the function that the database's owner installs: tokens are in neither the client's schema nor the grants. */
export class PrismaSessionLookup implements SessionLookup {
  readonly #database: Database
  readonly #function: Prisma.Sql
  readonly #onRefusal: (error: unknown) => void

  /**
   * @param schema The PostgreSQL schema of Better Auth's tables.
   * @param onRefusal Told when PostgreSQL refuses the call: the function is missing, not granted, or out of date.
   */
  constructor(database: Database, schema: string, onRefusal: (error: unknown) => void) {
    this.#database = database
    this.#function = Prisma.raw(sessionFunctionName(schema))
    this.#onRefusal = onRefusal
  }

  async findUserId(token: string): Promise<string | null> {
    try {
      const [row] = await this.#database.read<{ readonly userId: string | null }>(
        Prisma.sql`SELECT ${this.#function}(${token}::text) AS "userId"`,
      )
      return row?.userId ?? null
    } catch (error) {
      if (!(error instanceof GatewayError && error.code === 'INTERNAL')) throw error
      this.#onRefusal(error)
      throw new GatewayError('UNAVAILABLE', 'Sessions cannot be looked up.', { cause: error })
    }
  }
}
