import type { ApiKey, ApiKeyLookup } from '../domain/api-key-lookup.ts'
import { GatewayError } from '../domain/errors.ts'
import type { Session, SessionRepository } from '../domain/session.ts'
import type { SessionLookup } from '../domain/session-lookup.ts'
import { type Database, Prisma } from './client.ts'
import { Columns } from './columns.ts'
import { type Db, findRows, joining } from './db.ts'
import { by } from './join.ts'
import { listsOf } from './list.ts'
import { byInstant } from './order.ts'
import type { List } from './rows.ts'

const session = new Columns<Session>('Session', '', {
  id: 'same',
  userId: 'same',
  createdAt: 'same',
  updatedAt: 'same',
  expiresAt: 'same',
  ipAddress: 'same',
  userAgent: 'same',
  activeOrganizationId: 'same',
  impersonatedBy: 'same',
})

const place = new Columns<Pick<Session, 'id'>>('Session', 's', { id: 'same' })

/** Which sessions a page holds is asked by hand, as of every page; the rows are read by Prisma. */
export function createSessionRepository(db: Db): SessionRepository {
  const joined = joining(db, 'sessions')
  const places = listsOf(db, joined, place, living)
  const findByIds = joined(by('id'), (ids) => findRows(db, session, 'id', ids))
  return {
    listByUserIds: async (userIds, page) => {
      const pages = [...(await places.list(userIds, page))]
      const ids = pages.flatMap(([, { items }]) => items.map(({ entity }) => entity.id))
      const rows = new Map((await findByIds(ids)).map((row) => [row.id, row]))
      return new Map(
        pages.map(([userId, { items, ...ends }]) => {
          // A session that ended in between is left out.
          const found = items.flatMap(({ entity: { id }, position }) => {
            const entity = rows.get(id)
            return entity ? [{ entity, position }] : []
          })
          return [userId, { ...ends, items: found }]
        }),
      )
    },
    countByUserIds: places.count,
  }
}

/** Each asks a function that the database's owner installs: see `asking`. */
export function createSessionLookup(...[db, name, onRefusal]: Asking): SessionLookup {
  return { findUserId: asking<string>(db, name, onRefusal, 'Sessions cannot be looked up.') }
}

export function createApiKeyLookup(...[db, name, onRefusal]: Asking): ApiKeyLookup {
  return { findByHash: asking<ApiKey>(db, name, onRefusal, 'API keys cannot be looked up.') }
}

type Asking = [
  db: Pick<Database, 'read'>,
  /** As SQL names it; `undefined`: the database has no table for it. */
  name: string | undefined,
  /** Told when PostgreSQL refuses the call: the function is missing, not granted, or out of date. */
  onRefusal: (error: unknown) => void,
]

/** Secrets are in neither the client's schema nor the grants: only a function may compare them. */
function asking<Answer>(...[{ read }, name, onRefusal, failure]: [...Asking, failure: string]) {
  return async (secret: string): Promise<Answer | null> => {
    if (name === undefined) throw new GatewayError('UNAVAILABLE', failure)
    try {
      const [row] = await read<{ readonly answer: Answer | null }>(
        Prisma.sql`SELECT ${Prisma.raw(name)}(${secret}::text) AS "answer"`,
      )
      return row?.answer ?? null
    } catch (error) {
      if (!(error instanceof GatewayError && error.code === 'INTERNAL')) throw error
      onRefusal(error)
      throw new GatewayError('UNAVAILABLE', failure, { cause: error })
    }
  }
}

/** Those that have ended may be many more, and are left out by an index on user and end. */
function living({ tables }: Db): List {
  const table = tables.as('Session', 's')
  return {
    table,
    parent: 'userId',
    key: byInstant(table, 'createdAt'),
    gathered: true,
    within: Prisma.sql`AND ${table.column('expiresAt')} > ${table.instant('expiresAt', Prisma.sql`now()`)}`,
  }
}
