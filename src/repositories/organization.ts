import type { Organization, OrganizationRepository } from '../domain/organization.ts'
import type { Database, Prisma } from './client.ts'

export const organizationFields = ['id', 'name', 'slug', 'logo', 'metadata', 'createdAt'] as const

const select = {
  id: true,
  name: true,
  slug: true,
  logo: true,
  metadata: true,
  createdAt: true,
} as const satisfies Prisma.OrganizationSelect

type Row = Prisma.OrganizationGetPayload<{ select: typeof select }>

export class PrismaOrganizationRepository implements OrganizationRepository {
  readonly #organizations: Database['models']['organization']

  constructor({ models }: Database) {
    this.#organizations = models.organization
  }

  async findByIds(ids: readonly string[]): Promise<readonly Organization[]> {
    const rows = await this.#organizations.findMany({ where: { id: { in: [...ids] } }, select })
    return rows.map(toOrganization)
  }

  async findBySlugs(slugs: readonly string[]): Promise<readonly Organization[]> {
    const rows = await this.#organizations.findMany({ where: { slug: { in: [...slugs] } }, select })
    return rows.map(toOrganization)
  }
}

export function toOrganization({ metadata, ...row }: Row): Organization {
  return { ...row, metadata: parseMetadata(metadata) }
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
