import type { Account, AccountRepository } from '../domain/account.ts'
import type { Database, Prisma } from './client.ts'

const select = {
  id: true,
  userId: true,
  providerId: true,
  accountId: true,
  scope: true,
  createdAt: true,
  updatedAt: true,
} as const satisfies Prisma.AccountSelect

type Row = Prisma.AccountGetPayload<{ select: typeof select }>

export class PrismaAccountRepository implements AccountRepository {
  readonly #accounts: Database['models']['account']

  constructor({ models }: Database) {
    this.#accounts = models.account
  }

  async findByUserIds(userIds: readonly string[]): Promise<readonly Account[]> {
    const rows = await this.#accounts.findMany({
      where: { userId: { in: [...userIds] } },
      orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      select,
    })
    return rows.map(toAccount)
  }
}

function toAccount({ scope, ...row }: Row): Account {
  return { ...row, scopes: (scope ?? '').split(/[\s,]+/).filter((name) => name !== '') }
}
