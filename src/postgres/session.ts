import type { CountsByParent, Listed, PageRequest, PagesByParent } from '../domain/page.ts'
import type { Session, SessionRepository } from '../domain/session.ts'
import { type Database, Prisma } from './client.ts'
import { byInstant, countRows, type List, listPages } from './list.ts'
import { reader, type Tables } from './tables.ts'

const sessionFields = [
  'id',
  'userId',
  'createdAt',
  'updatedAt',
  'expiresAt',
  'ipAddress',
  'userAgent',
  'activeOrganizationId',
  'impersonatedBy',
] as const satisfies readonly (keyof Session)[]

export class PrismaSessionRepository implements SessionRepository {
  readonly #database: Database
  readonly #tables: Tables

  constructor(database: Database, tables: Tables) {
    this.#database = database
    this.#tables = tables
  }

  listByUserIds(
    userIds: readonly string[],
    page: PageRequest,
  ): Promise<PagesByParent<Listed<Session>>> {
    const columns = this.#tables.as('Session', 's').select(sessionFields)
    return listPages(this.#database, this.#list(), columns, readSession, userIds, page)
  }

  countByUserIds(userIds: readonly string[]): Promise<CountsByParent> {
    return countRows(this.#database, this.#list(), userIds)
  }

  #list(): List {
    const session = this.#tables.as('Session', 's')
    return {
      table: session,
      parent: 'userId',
      key: byInstant(session, 'createdAt'),
      direction: 'ASC',
      join: Prisma.empty,
      where: Prisma.sql`AND ${session.column('expiresAt')} > ${session.instant('expiresAt', Prisma.sql`now()`)}`,
    }
  }
}

const readSession = reader<Session>('s', sessionFields)
