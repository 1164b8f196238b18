import { type Database, type DatabaseOptions, openDatabase } from '../../src/postgres/client.ts'
import { prismaSchema } from './layout.ts'

/** Opens a database of the house layout, as the gateway does. Whoever opens it closes it. */
export function openHouse(
  options: Pick<DatabaseOptions, 'url'> & Partial<DatabaseOptions>,
): Database {
  return openDatabase({
    schema: 'public',
    prismaSchema,
    preparedStatements: true,
    poolSize: 2,
    statementTimeoutMs: 10_000,
    ...options,
  })
}
