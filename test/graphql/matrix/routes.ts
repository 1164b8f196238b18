import type { World } from './world.ts'

type Place = Pick<World, 'sam' | 'acme'>

/** The selections, each within the one before, that lead from Query to an object. Of a list, to its first entry. */
export type Route = readonly string[]

/** How the matrix gets to the objects whose fields it reads; each type has at least the route of its own name. */
export function routesOf({ sam, acme }: Place): Readonly<Record<string, Route>> {
  const user = `user(id: "${sam.id}")`
  const organization = `organization(id: "${acme.id}")`
  const teams = [organization, 'teams(last: 1)']
  const teamMembers = [...teams, 'nodes', 'members']
  const invitations = [organization, 'invitations(status: PENDING)']
  const received = ['viewer', 'receivedInvitations', 'nodes']
  return {
    Query: [],
    PermissionDecision: [`checkPermissions(checks: [${checkOf({ sam, acme })}])`],
    User: [user],
    'User by e-mail': [`userByEmail(email: "${sam.email}")`],
    'Inviter who has left': [...invitations, 'nodes', 'inviter'],
    'Inviter to the caller': [...received, 'inviter'],
    UserConnection: ['users'],
    UserEdge: ['users', 'edges'],
    UserOrganizationConnection: [user, 'organizations'],
    UserOrganizationEdge: [user, 'organizations', 'edges'],
    Account: [user, 'accounts'],
    Session: [user, 'sessions', 'nodes'],
    SessionConnection: [user, 'sessions'],
    SessionEdge: [user, 'sessions', 'edges'],
    Organization: [organization],
    OrganizationConnection: ['organizations'],
    OrganizationEdge: ['organizations', 'edges'],
    OrganizationRole: [organization, 'roles'],
    Member: [organization, `member(userId: "${sam.id}")`],
    MemberConnection: [organization, 'members'],
    MemberEdge: [organization, 'members', 'edges'],
    PageInfo: [organization, 'members(first: 1)', 'pageInfo'],
    Team: [...teams, 'nodes'],
    TeamConnection: teams,
    TeamEdge: [...teams, 'edges'],
    TeamMember: [...teamMembers, 'nodes'],
    TeamMemberConnection: teamMembers,
    TeamMemberEdge: [...teamMembers, 'edges'],
    Invitation: [...invitations, 'nodes'],
    InvitationConnection: invitations,
    InvitationEdge: [...invitations, 'edges'],
    'Invitation to the caller': received,
  }
}

/**
 * Arguments, by type and field. A field that needs none and is not named here is read without; what follows a slash
 * names a further question to the field.
 */
export function argumentsOf({ sam, acme }: Place): Readonly<Record<string, string>> {
  const stranger = '(userId: "nobody")'
  const aboutOneself = `{ permission: "leave:request", organizationId: "${acme.id}" }`
  const notShared = '(filter: { roles: ["auditor"] })'
  return {
    'Query.user': `(id: "${sam.id}")`,
    'Query.usersByIds': `(ids: ["${sam.id}"])`,
    'Query.userByEmail': `(email: "${sam.email}")`,
    'Query.users/byEmail': '(orderBy: { field: EMAIL, direction: ASC })',
    'Query.users/ofRole': '(filter: { role: "user" })',
    'Query.users/banned': '(filter: { banned: true })',
    'Query.users/addressFound': `(filter: { search: "${sam.email}" })`,
    'Query.organization': `(id: "${acme.id}")`,
    'Query.organizationBySlug': `(slug: "${acme.slug}")`,
    'Query.organizationsByIds': `(ids: ["${acme.id}"])`,
    'Query.can': `(permission: "leave:approve", organizationId: "${acme.id}", userId: "${sam.id}")`,
    'Query.checkPermissions': `(checks: [${checkOf({ sam, acme })}])`,
    'Query.checkPermissions/aboutOneself': `(checks: [${aboutOneself}])`,
    'Query.can/aboutOneself': `(permission: "leave:request", organizationId: "${acme.id}")`,
    'User.memberships/notShared': notShared,
    'User.organizations/notShared': notShared,
    'Organization.member': `(userId: "${sam.id}")`,
    'Organization.member/ofAStranger': stranger,
    'Organization.members/addressFound': `(filter: { search: "${sam.email}" })`,
    'Organization.invitations/toTheCreatorRole': '(status: CANCELED)',
    'Organization.viewerCan': '(permission: "invitation:create")',
    'Member.can': '(permission: "leave:approve")',
  }
}

function checkOf({ sam, acme }: Place): string {
  return `{ permission: "leave:approve", organizationId: "${acme.id}", userId: "${sam.id}" }`
}
