import { decisionRecord } from '../audit/decisions.ts'
import type { Decision as Recorded } from '../domain/audit.ts'
import { GatewayError } from '../domain/errors.ts'
import { LARGEST_SIZE } from '../domain/limits.ts'
import type { Context } from '../graph/context.ts'
import { connect } from '../graph/lists/connection.ts'
import { membersOfOrganization } from '../graph/member.ts'
import { organizationsOfUser } from '../graph/membership.ts'
import { findTold } from '../graph/permission.ts'
import { userById } from '../graph/user.ts'
import { type OrganizationOf, permissionOf, USER } from './mapping.ts'
import type { Search } from './request.ts'

export interface Found {
  readonly answer: {
    readonly page?: { readonly next_token: string; readonly count: number }
    readonly results: readonly object[]
  }
  readonly records: readonly Recorded[]
}

type Find = (
  asked: Search,
  organizationOf: OrganizationOf,
  context: Context,
  field: string,
) => Promise<Found>

/** Who may. Whoever may list the members of the organization is told, of a member who is there several times once. */
export const searchSubjects: Find = async (asked, organizationOf, context, field) => {
  requireLists(context)
  const { subject, action, resource } = asked
  const permission = permissionOf(resource.type, action)
  const organizationId = organizationOf(resource)
  if (subject.type !== USER || permission === null || organizationId === null) return nothing(asked)
  if (!(await context.viewer.seesOrganization(organizationId))) return nothing(asked)
  const { size, after } = placeOf(asked)
  const page = await connect(context, { first: size || 1, after }, membersOfOrganization, {
    parentId: organizationId,
    variant: [{}, permission, { field: 'CREATED_AT', direction: 'ASC' }],
  })
  const userIds = [...new Set(page.edges.map(({ entity }) => entity.userId))]
  const told = paged(asked, page, userIds)
  return {
    answer: toAnswer(asked, told, (id) => ({ type: USER, id })),
    records: [anew(field, { permission, organizationId, userIds: told.ids })],
  }
}

/** Where somebody may: the organizations themselves, where the type is one of those whose ids are theirs. */
export const searchResources: Find = async (asked, organizationOf, context, field) => {
  requireLists(context)
  const { subject, action, resource } = asked
  const { type } = resource
  const permission = permissionOf(type, action)
  const namesOrganizations = organizationOf({ type, id: type, organizationId: null }) !== null
  if (subject.type !== USER || permission === null || !namesOrganizations) return nothing(asked)
  const user = await userById(context, subject.id)
  if (!user) return nothing(asked)
  await context.viewer.requireUserField(user, 'organizations')
  const scope = context.viewer.membershipsOf(subject.id)
  const { size, after } = placeOf(asked)
  const page = await connect(context, { first: size || 1, after }, organizationsOfUser, {
    parentId: subject.id,
    variant: [{ scope }, permission, { field: 'JOINED_AT', direction: 'ASC' }],
  })
  const ids = [...new Set(page.edges.map(({ entity }) => entity.organizationId))]
  const told = paged(asked, page, ids)
  return {
    answer: toAnswer(asked, told, (id) => ({ type, id })),
    records: [anew(field, { permission, userId: subject.id, organizationIds: told.ids })],
  }
}

/** What somebody may do with it, all at once. */
export const searchActions: Find = async (asked, organizationOf, context, field) => {
  context.viewer.requireScope('permissions:check')
  const { subject, resource, consistency } = asked
  const prefix = permissionOf(resource.type, '')
  const organizationId = organizationOf(resource)
  if (subject.type !== USER || prefix === null || organizationId === null) return nothing(asked)
  const about = { userId: subject.id, organizationId }
  const { grant, ...rest } = await findTold(about, consistency, context)
  const permissions = (grant?.permissions ?? []).filter((name) => name.startsWith(prefix))
  const results = permissions.map((permission) => ({ name: permission.slice(prefix.length) }))
  return {
    answer: { ...(asked.page && pageOf('', results.length)), results },
    records: [decisionRecord(field, consistency, { ...about, permissions, ...rest })],
  }
}

/** Lists tell who there is, which takes what it takes to read them in the graph. */
function requireLists({ viewer }: Context): void {
  viewer.requireScope('permissions:check')
  viewer.requireScope('identity:read')
}

function nothing({ page }: Search): Found {
  return { answer: { ...(page && pageOf('', 0)), results: [] }, records: [] }
}

function pageOf(next_token: string, count: number) {
  return { page: { next_token, count } }
}

/** A page of no entries leads to where it began. */
const BEGIN = 'begin'

/** From where, and how many: a token is the number and the cursor of the last entry, which belongs to one list alone. */
function placeOf({ page }: Search) {
  const { limit = null, token = null } = page ?? {}
  if (token === null) return { size: limit ?? LARGEST_SIZE, after: null }
  const [, number = '', cursor = ''] = /^(\d{1,3})\.([\w-]+)$/.exec(token) ?? []
  const size = Number(number)
  if (number === '' || size > LARGEST_SIZE)
    throw new GatewayError('BAD_USER_INPUT', 'page.token is none of this search.')
  if (limit !== null && limit !== size)
    throw new GatewayError('BAD_USER_INPUT', 'page.limit is not that of the page before.')
  return { size, after: cursor === BEGIN ? null : cursor }
}

interface Page {
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
  readonly edges: readonly unknown[]
}

function paged(asked: Search, { pageInfo, edges }: Page, ids: readonly string[]) {
  const { size, after } = placeOf(asked)
  if (size > 0) {
    const next = pageInfo.hasNextPage ? `${size}.${pageInfo.endCursor}` : ''
    return { ids, next }
  }
  return { ids: [], next: edges.length > 0 ? `0.${after ?? BEGIN}` : '' }
}

function toAnswer(
  { page }: Search,
  { ids, next }: ReturnType<typeof paged>,
  toResult: (id: string) => object,
): Found['answer'] {
  const isTold = page !== null || next !== ''
  return { ...(isTold && pageOf(next, ids.length)), results: ids.map(toResult) }
}

function anew(field: string, told: Partial<Recorded>): Recorded {
  const read = { source: 'DATABASE', resolvedAt: new Date() } as const
  return { ...decisionRecord(field, 'FRESH', read), ...told }
}
