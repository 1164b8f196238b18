import { Prisma } from '../../postgres/client.ts'
import type { Check } from '../finding.ts'

/** Tokens expire and bans end by this machine's clock, sessions by the database's, where Better Auth's rows come from. */
const MOST_APART_MS = 30_000
const NOTEWORTHY_MS = 5_000

export const checkClock: Check = async ({ database }) => {
  const before = Date.now()
  const [row] = await database.read<{ readonly ms: number }>(
    Prisma.sql`SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "ms"`,
  )
  const after = Date.now()
  const aheadMs = Math.round((before + after) / 2 - (row?.ms ?? Number.NaN))
  const apart = Math.abs(aheadMs)
  const direction = aheadMs > 0 ? 'ahead of' : 'behind'
  const message = `This machine's clock is ${(apart / 1000).toFixed(1)} s ${direction} the database's`
  if (apart <= NOTEWORTHY_MS) return [{ level: 'info', message: `${message}.` }]
  return [
    {
      level: apart <= MOST_APART_MS ? 'warning' : 'error',
      message: `${message}, and tokens, sessions and bans end by a clock: synchronise both machines, for example with NTP.`,
    },
  ]
}
