import type { ApiKey, ApiKeyLookup } from '../domain/api-key-lookup.ts'
import { GatewayError } from '../domain/errors.ts'
import type { Session, SessionRepository } from '../domain/session.ts'
import type { SessionLookup } from '../domain/session-lookup.ts'
import type { OwnerFunction, OwnerFunctions } from '../layout/owner-functions.ts'
import { type Database, Prisma } from './client.ts'
import { Columns } from './columns.ts'
import { allOf, lasts } from './conditions.ts'
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

/**
 * What finds credentials by the functions that the database's owner installs: secrets are in neither the client's schema
 * nor the grants, so that only a function may compare them.
 * @param onRefusal Told when PostgreSQL refuses a call: the function is missing, not granted, or out of date.
 */
export function createLookups(
  { read }: Pick<Database, 'read'>,
  { sessions, apiKeys }: OwnerFunctions,
  onRefusal: (what: string, error: unknown) => void,
): { readonly sessions: SessionLookup; readonly apiKeys: ApiKeyLookup } {
  const asking =
    <Answer>(made: OwnerFunction | null, what: string) =>
    async (secret: string): Promise<Answer | null> => {
      const failure = `${what} cannot be looked up`
      if (!made) throw new GatewayError('UNAVAILABLE', `${failure}.`)
      try {
        const [row] = await read<{ readonly answer: Answer | null }>(
          Prisma.sql`SELECT ${Prisma.raw(made.name)}(${secret}::text) AS "answer"`,
        )
        return row?.answer ?? null
      } catch (error) {
        if (!(error instanceof GatewayError && error.code === 'INTERNAL')) throw error
        onRefusal(failure, error)
        throw new GatewayError('UNAVAILABLE', `${failure}.`, { cause: error })
      }
    }
  return {
    sessions: { findUserId: asking<string>(sessions, 'Sessions') },
    apiKeys: { findByHash: asking<ApiKey>(apiKeys, 'API keys') },
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
    within: allOf([lasts(table)]),
  }
}
