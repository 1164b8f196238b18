import type {
  Organization,
  OrganizationOrder,
  OrganizationRepository,
} from '../domain/organization.ts'
import { additional, Columns, from, parseJson } from './columns.ts'
import { type Db, joining, lookUp, unambiguous } from './db.ts'
import { by } from './join.ts'
import { countAll, listAll } from './list.ts'
import { byInstant, byText } from './order.ts'
import type { List } from './rows.ts'
import type { Tables } from './tables.ts'

/** Every column of an organization that may leave the repository. */
export const organization = new Columns<Organization>('Organization', 'o', {
  id: 'same',
  name: 'same',
  // Unique, as Better Auth's are; nobody is found by it.
  slug: from('slug', (slug: string | null, row) => slug ?? String(row['o.id'])),
  logo: 'same',
  // As text, as Better Auth keeps it, or as JSON.
  metadata: from('metadata', parseJson),
  createdAt: 'same',
  additional,
})

/** By hand, because organizations are looked up with most requests. */
export function createOrganizationRepository(db: Db): OrganizationRepository {
  const { tables } = db
  const joined = joining(db, 'organizations')
  return {
    findByIds: joined(by('id'), (ids) => lookUp(db, organization, 'id', ids)),
    findBySlugs: joined(by('slug'), async (slugs) =>
      unambiguous(await lookUp(db, organization, 'slug', slugs), ({ slug }) => slug),
    ),
    list: (page, order) => listAll(db, all(tables, order), organization, page),
    count: () => countAll(db, all(tables)),
  }
}

function all(
  tables: Tables,
  { field, direction }: OrganizationOrder = { field: 'CREATED_AT', direction: 'ASC' },
): List {
  const table = tables.as('Organization', 'o')
  return {
    table,
    parent: null,
    key: field === 'NAME' ? byText(table, 'name') : byInstant(table, 'createdAt'),
    direction,
  }
}
