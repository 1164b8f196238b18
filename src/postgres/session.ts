import type { Session, SessionRepository } from '../domain/session.ts'
import { Prisma } from './client.ts'
import { Columns } from './columns.ts'
import { type Db, joining } from './db.ts'
import { counts, pages } from './join.ts'
import { byInstant, countRows, type List, listRows } from './list.ts'
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

export function createSessionRepository(db: Db): SessionRepository {
  const joined = joining(db, 'sessions')
  const ofUsers = () => living(db.tables)
  return {
    listByUserIds: joined(pages, (userIds, page) =>
      listRows(db, ofUsers(), session, userIds, page),
    ),
    countByUserIds: joined(counts, (userIds) => countRows(db, ofUsers(), userIds)),
  }
}

function living(tables: Tables): List {
  const table = tables.as('Session', 's')
  return {
    table,
    parent: 'userId',
    key: byInstant(table, 'createdAt'),
    direction: 'ASC',
    join: Prisma.empty,
    where: Prisma.sql`AND ${table.column('expiresAt')} > ${table.instant('expiresAt', Prisma.sql`now()`)}`,
  }
}
