import type { Session, SessionRepository } from '../domain/session.ts'
import { Prisma } from './client.ts'
import { Columns } from './columns.ts'
import { type Db, joining } from './db.ts'
import { byInstant, type List, listsOf } from './list.ts'
import type { Tables } from './tables.ts'

const session = new Columns<Session>('Session', 's', {
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

/** By hand, because a page has to know its place among all sessions of its user. */
export function createSessionRepository(db: Db): SessionRepository {
  const ofUsers = listsOf(db, joining(db, 'sessions'), session, living)
  return { listByUserIds: ofUsers.list, countByUserIds: ofUsers.count }
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
