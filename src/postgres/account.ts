import type { Account, AccountRepository } from '../domain/account.ts'
import { type Database, Prisma } from './client.ts'
import { reader, type Tables } from './tables.ts'

const accountFields = [
  'id',
  'userId',
  'providerId',
  'accountId',
  'scope',
  'createdAt',
  'updatedAt',
] as const

export class PrismaAccountRepository implements AccountRepository {
  readonly #database: Database
  readonly #tables: Tables

  constructor(database: Database, tables: Tables) {
    this.#database = database
    this.#tables = tables
  }

  async findByUserIds(userIds: readonly string[]): Promise<readonly Account[]> {
    const account = this.#tables.as('Account', 'a')
    const rows = await this.#database.read<Record<string, unknown>>(Prisma.sql`
      SELECT ${account.select(accountFields)} FROM ${account.from}
      WHERE ${account.column('userId')} = ANY(${account.array('userId', userIds)})
      ORDER BY ${account.column('createdAt')}, ${account.column('id')}`)
    return rows.map(readAccount)
  }
}

const readColumns = reader<Omit<Account, 'scopes'> & { readonly scope: string | null }>(
  'a',
  accountFields,
)

function readAccount(row: Readonly<Record<string, unknown>>): Account {
  const { scope, ...rest } = readColumns(row)
  return { ...rest, scopes: (scope ?? '').split(/[\s,]+/).filter((name) => name !== '') }
}
