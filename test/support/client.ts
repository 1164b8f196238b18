import { type Database, type DatabaseOptions, openDatabase } from '../../src/postgres/client.ts'
import { layout } from './layout.ts'

/** Opens a database of the house layout, as the gateway does. Whoever opens it closes it. */
export function openHouse(
  options: Pick<DatabaseOptions, 'url'> & Partial<DatabaseOptions>,
): Database {
  return openDatabase({
    schema: 'public',
    layout,
    preparedStatements: true,
    poolSize: 2,
    statementTimeoutMs: 10_000,
    ...options,
  })
}
