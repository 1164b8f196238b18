import type {
  Organization,
  OrganizationOrder,
  OrganizationRepository,
} from '../domain/organization.ts'
import type { Listed, Page, PageRequest } from '../domain/page.ts'
import { type Database, Prisma } from './client.ts'
import { byInstant, byText, countAll, type List, listAll } from './list.ts'
import { entityReader, type Tables } from './tables.ts'

/** Every column of an organization that may leave the repository. */
export const organizationFields = ['id', 'name', 'slug', 'logo', 'metadata', 'createdAt'] as const

export class PrismaOrganizationRepository implements OrganizationRepository {
  readonly #database: Database
  readonly #tables: Tables

  constructor(database: Database, tables: Tables) {
    this.#database = database
    this.#tables = tables
  }

  findByIds(ids: readonly string[]): Promise<readonly Organization[]> {
    return this.#findBy('id', ids)
  }

  findBySlugs(slugs: readonly string[]): Promise<readonly Organization[]> {
    return this.#findBy('slug', slugs)
  }

  list(page: PageRequest, order: OrganizationOrder): Promise<Page<Listed<Organization>>> {
    const organization = this.#tables.as('Organization', 'o')
    const columns = organization.selectEntity(organizationFields)
    return listAll(this.#database, this.#list(order), columns, readOrganization, page)
  }

  count(): Promise<number> {
    return countAll(this.#database, this.#list({ field: 'CREATED_AT', direction: 'ASC' }))
  }

  async #findBy(field: 'id' | 'slug', values: readonly string[]): Promise<readonly Organization[]> {
    const organization = this.#tables.as('Organization', 'o')
    const rows = await this.#database.read<Record<string, unknown>>(Prisma.sql`
      SELECT ${organization.selectEntity(organizationFields)} FROM ${organization.from}
      WHERE ${organization.column(field)} = ANY(${organization.array(field, values)})`)
    return rows.map(readOrganization)
  }

  #list({ field, direction }: OrganizationOrder): List {
    const organization = this.#tables.as('Organization', 'o')
    return {
      table: organization,
      parent: null,
      key: field === 'NAME' ? byText(organization, 'name') : byInstant(organization, 'createdAt'),
      direction,
      join: Prisma.empty,
      where: Prisma.empty,
    }
  }
}

const readColumns = entityReader<Organization>('o', organizationFields)

/** From a row with an organization under the alias `o`. */
export function readOrganization(row: Readonly<Record<string, unknown>>): Organization {
  const organization = readColumns(row)
  return { ...organization, metadata: parseMetadata(organization.metadata) }
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
