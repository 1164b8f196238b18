import { z } from 'zod'
import type { InvalidationTarget } from '../domain/invalidation.ts'

/** What an endpoint of Better Auth did, as its `hooks.after` see it. */
export interface EndpointCall {
  readonly path?: string | undefined
  readonly body?: unknown
  readonly returned?: unknown
  /** Of the session that called, where Better Auth looks when the body does not name the organization. */
  readonly findActiveOrganizationId: () => Promise<unknown>
}

/** Whose permissions a successful call changed; `undefined` when nobody's. */
export async function targetOf(call: EndpointCall): Promise<InvalidationTarget | undefined> {
  if (call.returned instanceof Error) return undefined
  const { path = NO_ROUTE } = call
  return Object.hasOwn(readers, path) ? readers[path]?.(call) : undefined
}

type Found = InvalidationTarget | undefined
type Reader = (call: EndpointCall) => Found | Promise<Found>

/** What hooks are told of an endpoint that has no route; `addMember` is one. */
const NO_ROUTE = '/'

const text = z.string().min(1)
const member = z.object({ userId: text })
const holder = z.object({ member })
const organization = z.object({ organizationId: text })
const role = z.object({ roleData: organization })

const ofReturnedMember: Reader = ({ returned }) => userOf(member.safeParse(returned).data)
const ofAddedMember: Reader = (call) =>
  organization.safeParse(call.returned).success ? ofReturnedMember(call) : undefined
const ofMemberWithin: Reader = ({ returned }) => userOf(holder.safeParse(returned).data?.member)
const ofOrganization: Reader = async ({ returned, body, findActiveOrganizationId }) => {
  const found =
    role.safeParse(returned).data?.roleData.organizationId ??
    organization.safeParse(body).data?.organizationId ??
    text.safeParse(await findActiveOrganizationId()).data
  return found === undefined ? undefined : { organizationId: found }
}

const readers: Readonly<Record<string, Reader>> = {
  [NO_ROUTE]: ofAddedMember,
  '/organization/accept-invitation': ofMemberWithin,
  '/organization/update-member-role': ofReturnedMember,
  '/organization/remove-member': ofMemberWithin,
  '/organization/leave': ofReturnedMember,
  '/organization/create-role': ofOrganization,
  '/organization/update-role': ofOrganization,
  '/organization/delete-role': ofOrganization,
  '/organization/delete': ofOrganization,
}

function userOf(found: { readonly userId: string } | undefined): Found {
  return found && { userId: found.userId }
}
