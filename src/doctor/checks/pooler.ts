import { openDatabase, Prisma } from '../../postgres/client.ts'
import type { Check } from '../finding.ts'

/** Whether statements that are prepared on one connection stay with it; a pooler in transaction mode may mix them up. */
export const checkPooler: Check = async ({ config, layout }) => {
  if (!config.database.preparedStatements) return []
  let shared = false
  const open = () =>
    openDatabase({
      ...config.database,
      layout,
      poolSize: 1,
      onSharedSessions: () => {
        shared = true
      },
    })
  const connections = [open(), open()]
  try {
    for (const _round of [1, 2])
      for (const connection of connections)
        await connection.read(Prisma.sql`SELECT 1 AS "prepared"`)
  } finally {
    for (const connection of connections) await connection.close()
  }
  if (!shared) return []
  return [
    {
      level: 'warning',
      message:
        'A pooler lets connections share sessions and does not carry prepared statements: set DATABASE_PREPARED_STATEMENTS=off, which the gateway otherwise does by itself once a statement fails.',
    },
  ]
}
