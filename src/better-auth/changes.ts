import { z } from 'zod'
import type { Announcement } from '../permissions/announcement.ts'

/** What an endpoint of Better Auth did, as its `hooks.after` see it. */
export interface EndpointCall {
  readonly path?: string | undefined
  readonly body?: unknown
  readonly returned?: unknown
  /** Of the session that called, where Better Auth looks when the body does not name the organization. */
  readonly findActiveOrganizationId: () => Promise<unknown>
}

/** What a successful call changed; `undefined` when nothing that gateways tell of. */
export async function announcementOf(call: EndpointCall): Promise<Announcement | undefined> {
  if (call.returned instanceof Error) return undefined
  const { path = NO_ROUTE } = call
  return Object.hasOwn(readers, path) ? readers[path]?.(call) : undefined
}

type Found = Announcement | undefined
type Reader = (call: EndpointCall) => Found | Promise<Found>

/** What hooks are told of an endpoint that has no route; `addMember` is one. */
const NO_ROUTE = '/'

const text = z.string().min(1)
const member = z.object({ userId: text, organizationId: text.optional() })
const holder = z.object({ member })
const organization = z.object({ organizationId: text })
const made = z.object({ id: text })
const withMembers = z.object({ members: z.array(member) })
const role = z.object({ roleData: organization })
const ofTeam = z.object({ userId: text })

const ofReturnedMember: Reader = ({ returned }) => userOf(member.safeParse(returned).data)
const ofAddedMember: Reader = (call) =>
  organization.safeParse(call.returned).success ? ofReturnedMember(call) : undefined
const ofMemberWithin: Reader = ({ returned }) => userOf(holder.safeParse(returned).data?.member)
const ofCreated: Reader = ({ returned }) => userOf(withMembers.safeParse(returned).data?.members[0])
const ofRole: Reader = async (call) => {
  const organizationId = await organizationOf(call)
  return organizationId === undefined ? undefined : { organizationId }
}
/** Who was in it is not known any more. */
const ofDeleted: Reader = async (call) => {
  const found = await ofRole(call)
  return found && { ...found, again: true }
}
const ofUpdated: Reader = ({ returned }) => {
  const within = made.safeParse(returned).data?.id
  return within === undefined ? undefined : { within }
}
const ofTeamChange: Reader = async (call) => {
  const within = await organizationOf(call)
  const account = ofTeam.safeParse(call.body).data?.userId
  return within === undefined ? undefined : { within, ...(account && { account }) }
}

const readers: Readonly<Record<string, Reader>> = {
  [NO_ROUTE]: ofAddedMember,
  '/organization/accept-invitation': ofMemberWithin,
  '/organization/update-member-role': ofReturnedMember,
  '/organization/remove-member': ofMemberWithin,
  '/organization/leave': ofReturnedMember,
  '/organization/create-role': ofRole,
  '/organization/update-role': ofRole,
  '/organization/delete-role': ofRole,
  '/organization/create': ofCreated,
  '/organization/delete': ofDeleted,
  '/organization/update': ofUpdated,
  '/organization/create-team': ofTeamChange,
  '/organization/update-team': ofTeamChange,
  '/organization/remove-team': ofTeamChange,
  '/organization/add-team-member': ofTeamChange,
  '/organization/remove-team-member': ofTeamChange,
}

async function organizationOf(call: EndpointCall): Promise<string | undefined> {
  const { returned, body, findActiveOrganizationId } = call
  return (
    role.safeParse(returned).data?.roleData.organizationId ??
    organization.safeParse(returned).data?.organizationId ??
    organization.safeParse(body).data?.organizationId ??
    text.safeParse(await findActiveOrganizationId()).data
  )
}

function userOf(found: z.infer<typeof member> | undefined): Found {
  if (!found) return undefined
  const { userId, organizationId } = found
  return { userId, ...(organizationId !== undefined && { within: organizationId }) }
}
