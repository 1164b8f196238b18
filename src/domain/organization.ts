import type { AdditionalValues } from './additional-field.ts'
import type { Count, Listed, Order, Page, PageRequest } from './page.ts'

export interface Organization {
  readonly id: string
  readonly name: string
  readonly slug: string
  readonly logo: string | null
  /** Free JSON; `null` when there is none or when what is stored cannot be parsed. */
  readonly metadata: unknown
  readonly createdAt: Date
  readonly additional: AdditionalValues
}

export type OrganizationOrder = Order<'CREATED_AT' | 'NAME'>

export interface OrganizationRepository {
  /** The organizations that exist, in any order. Unknown ids are left out. */
  findByIds(ids: readonly string[]): Promise<readonly Organization[]>
  /** The organizations with one of these slugs, compared exactly, in any order. */
  findBySlugs(slugs: readonly string[]): Promise<readonly Organization[]>
  list(page: PageRequest, order: OrganizationOrder): Promise<Page<Listed<Organization>>>
  count(): Promise<Count>
}
