import { GatewayError } from '../../domain/errors.ts'
import { isWallClock } from '../../layout/layout.ts'
import { Prisma } from '../../postgres/client.ts'
import type { Check, Examined, Finding } from '../finding.ts'

/**
 * Whether columns without a time zone hold what DATABASE_TIMESTAMP_ZONE says: what has just been written is not in the
 * future then. By a clock that is behind, everything is only older than it should be, which looks like a quiet hour.
 */
export const checkTimestamps: Check = async (examined) => {
  const found = [await findAhead(examined, 'Session'), await findAhead(examined, 'User')]
  return found.flatMap((finding) => finding ?? [])
}

const FIELDS = ['createdAt', 'updatedAt']

async function findAhead(
  { config, database, layout, tables }: Examined,
  model: 'Session' | 'User',
): Promise<Omit<Finding, 'check'> | null> {
  const columns = layout[model]?.columns ?? {}
  const fields = FIELDS.filter((field) => isWallClock(columns[field]?.type))
  if (fields.length === 0) return null
  const table = tables.as(model, 't')
  const ahead = fields.map((field) => {
    const by = Prisma.sql`${table.column(field)} - ${table.instant(field, Prisma.sql`now()`)}`
    return Prisma.sql`max(${by}) FILTER (WHERE ${by} < ${FURTHEST}::interval)`
  })
  const zone = config.database.timestampZone
  const name = `"${layout[model]?.name}"`
  try {
    const [row] = await database.read<{ readonly hours: number | null }>(Prisma.sql`
      SELECT (extract(epoch FROM greatest(${Prisma.join(ahead)})) / 3600)::float8 AS "hours" FROM ${table.from}`)
    const hours = row?.hours ?? 0
    if (hours < NOTEWORTHY)
      return {
        level: 'info',
        message: `Times without a zone in ${name} are read as ${zone}, and none is in the future; that their clock is behind that cannot be seen.`,
      }
    return {
      level: 'warning',
      message: `The newest times in ${name} are in the future, so they were written in another zone than ${zone}, by about ${hours.toFixed(1)} h: set DATABASE_TIMESTAMP_ZONE to the zone of the process that Better Auth runs in. Sessions and bans end at other times than they should until then.`,
    }
  } catch (error) {
    if (!(error instanceof GatewayError && error.code === 'TIMEOUT')) throw error
    return {
      level: 'info',
      message: `Times without a zone in ${name} are read as ${zone}; to find the newest takes longer than DATABASE_STATEMENT_TIMEOUT_MS.`,
    }
  }
}

const NOTEWORTHY = 5 / 60
/** No zone is further from another than this. */
const FURTHEST = '27 hours'
