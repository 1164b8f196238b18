import type { Account, AccountRepository } from '../domain/account.ts'
import { Columns, from } from './columns.ts'
import { type Db, findRows, joining } from './db.ts'
import { by } from './join.ts'

const account = new Columns<Account>('Account', '', {
  id: 'same',
  userId: 'same',
  providerId: 'same',
  accountId: 'same',
  scopes: from('scope', (scope: string | null) =>
    (scope ?? '').split(/[\s,]+/).filter((name) => name !== ''),
  ),
  createdAt: 'same',
  updatedAt: 'same',
})

export function createAccountRepository(db: Db): AccountRepository {
  const joined = joining(db, 'accounts')
  return {
    findByUserIds: joined(by('userId'), (userIds) =>
      findRows(db, account, 'userId', userIds, ['createdAt', 'id']),
    ),
  }
}
