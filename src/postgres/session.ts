import type { Session, SessionRepository } from '../domain/session.ts'
import { Prisma } from './client.ts'
import { Columns } from './columns.ts'
import { type Db, findRows, joining } from './db.ts'
import { by } from './join.ts'
import { byInstant, type List, listsOf } from './list.ts'
import type { Tables } from './tables.ts'

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

function living(tables: Tables): List {
  const table = tables.as('Session', 's')
  return {
    table,
    parent: 'userId',
    key: byInstant(table, 'createdAt'),
    where: Prisma.sql`AND ${table.column('expiresAt')} > ${table.instant('expiresAt', Prisma.sql`now()`)}`,
  }
}
