import type {
  Organization,
  OrganizationOrder,
  OrganizationRepository,
} from '../domain/organization.ts'
import type { Listed, Page, PageRequest } from '../domain/page.ts'
import { type Database, Prisma } from './client.ts'
import { countAll, type List, listAll } from './list.ts'
import { rowOf, type Tables } from './tables.ts'

/** Every column of an organization that may leave the repository. */
export const organizationFields = ['id', 'name', 'slug', 'logo', 'metadata', 'createdAt'] as const

const select = { id: true, name: true, slug: true, logo: true, metadata: true, createdAt: true }

export class PrismaOrganizationRepository implements OrganizationRepository {
  readonly #database: Database
  readonly #tables: Tables

  constructor(database: Database, tables: Tables) {
    this.#database = database
    this.#tables = tables
  }

  async findByIds(ids: readonly string[]): Promise<readonly Organization[]> {
    const { organization } = this.#database.models
    const rows = await organization.findMany({
      where: { id: { in: this.#tables.fitting('Organization', 'id', ids) } },
      select,
    })
    return rows.map(toOrganization)
  }

  async findBySlugs(slugs: readonly string[]): Promise<readonly Organization[]> {
    const { organization } = this.#database.models
    const rows = await organization.findMany({ where: { slug: { in: [...slugs] } }, select })
    return rows.map(toOrganization)
  }

  list(page: PageRequest, order: OrganizationOrder): Promise<Page<Listed<Organization>>> {
    const organization = this.#tables.as('Organization', 'o')
    const columns = organization.select(organizationFields)
    return listAll(this.#database, this.#list(order), columns, page, (row) =>
      toOrganization(rowOf(row, 'o')),
    )
  }

  count(): Promise<number> {
    return countAll(this.#database, this.#list({ field: 'CREATED_AT', direction: 'ASC' }))
  }

  #list({ field, direction }: OrganizationOrder): List {
    const organization = this.#tables.as('Organization', 'o')
    return {
      table: organization,
      parent: null,
      key:
        field === 'NAME'
          ? { sql: organization.column('name'), type: 'text' }
          : { sql: organization.column('createdAt'), type: 'instant' },
      direction,
      join: Prisma.empty,
      where: Prisma.empty,
    }
  }
}

export function toOrganization(row: Readonly<Record<string, unknown>>): Organization {
  return { ...(row as unknown as Organization), metadata: parseMetadata(row.metadata) }
}

/** Better Auth keeps metadata as JSON text; some databases have a JSON column, which arrives parsed. */
function parseMetadata(stored: unknown): unknown {
  if (typeof stored !== 'string') return stored ?? null
  try {
    return JSON.parse(stored)
  } catch {
    return null
  }
}
