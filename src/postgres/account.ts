import type { Account, AccountRepository } from '../domain/account.ts'
import { Columns, from } from './columns.ts'
import { type Db, ofOwners } from './db.ts'

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
  return { findByUserIds: ofOwners(db, 'accounts', account, 'userId', ['createdAt', 'id']) }
}
