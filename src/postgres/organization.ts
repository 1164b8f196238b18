import type {
  Organization,
  OrganizationOrder,
  OrganizationRepository,
} from '../domain/organization.ts'
import { Prisma } from './client.ts'
import { additional, Columns, from, type Row } from './columns.ts'
import { type Db, joining } from './db.ts'
import { by } from './join.ts'
import { byInstant, byText, countAll, type List, listAll } from './list.ts'
import type { Tables } from './tables.ts'

/** Every column of an organization that may leave the repository. */
export const organization = new Columns<Organization>('Organization', 'o', {
  id: 'same',
  name: 'same',
  slug: 'same',
  logo: 'same',
  metadata: from('metadata', parseMetadata),
  createdAt: 'same',
  additional,
})

/** By hand, because organizations are looked up with most requests. */
export function createOrganizationRepository(db: Db): OrganizationRepository {
  const { tables } = db
  const joined = joining(db, 'organizations')
  const findBy = async (field: 'id' | 'slug', values: readonly string[]) => {
    const table = tables.as('Organization', 'o')
    const rows = await db.read<Row>(Prisma.sql`
      SELECT ${organization.select(tables)} FROM ${table.from}
      WHERE ${table.column(field)} = ANY(${table.array(field, values)})`)
    return rows.map(organization.read)
  }
  return {
    findByIds: joined(by('id'), (ids) => findBy('id', ids)),
    findBySlugs: joined(by('slug'), (slugs) => findBy('slug', slugs)),
    list: (page, order) => listAll(db, all(tables, order), organization, page),
    count: () => countAll(db, all(tables, { field: 'CREATED_AT', direction: 'ASC' })),
  }
}

function all(tables: Tables, { field, direction }: OrganizationOrder): List {
  const table = tables.as('Organization', 'o')
  return {
    table,
    parent: null,
    key: field === 'NAME' ? byText(table, 'name') : byInstant(table, 'createdAt'),
    direction,
    join: Prisma.empty,
    where: Prisma.empty,
  }
}

/** Better Auth keeps metadata as JSON text; some databases have a JSON column, which arrives parsed. */
function parseMetadata(stored: unknown): unknown {
  if (typeof stored !== 'string') return stored
  try {
    return JSON.parse(stored)
  } catch {
    return null
  }
}
