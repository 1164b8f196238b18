import type { MatrixWorld } from './world.ts'

type Place = Pick<MatrixWorld, 'ada' | 'acme' | 'memberId' | 'ids'>

/**
 * The selections, each within the one before, that lead from Query to an object: fields, and `... on <type>` below a union.
 * Of a list, to its first entry.
 */
export type Route = readonly string[]

/** How the matrix gets to the objects whose fields it reads; each type has at least the route of its own name. */
export function routesOf({ ada, acme, memberId, ids }: Place): Readonly<Record<string, Route>> {
  const user = `user(id: "${ada.id}")`
  const organization = `organization(id: "${acme.id}")`
  const teams = [organization, 'teams(last: 1)']
  const teamMembers = [...teams, 'nodes', 'members']
  const invitations = [organization, 'invitations(status: PENDING)']
  const entity = entitiesOf({ ada, acme, memberId, ids })
  const explain = `(permission: "leave:approve", organizationId: "${acme.id}", userId: "${ada.id}")`
  const received = ['viewer', 'receivedInvitations', 'nodes']
  return {
    Query: [],
    PermissionDecision: [`checkPermissions(checks: [${checkOf({ ada, acme, memberId, ids })}])`],
    PermissionExplanation: [`explainPermission${explain}`],
    ExplainedRole: [`explainPermission${explain}`, 'roles'],
    _Service: ['_service'],
    User: [user],
    'User entity': [`_entities${entity.User}`, '... on User'],
    'User entity by e-mail': [`_entities${entity['User by e-mail']}`, '... on User'],
    'Organization entity': [`_entities${entity.Organization}`, '... on Organization'],
    'Organization entity by slug': [
      `_entities${entity['Organization by slug']}`,
      '... on Organization',
    ],
    'User entity by user name': [`_entities${entity['User by user name']}`, '... on User'],
    'Member entity': [`_entities${entity.Member}`, '... on Member'],
    'Member entity by its ends': [`_entities${entity['Member by its ends']}`, '... on Member'],
    'Team entity': [`_entities${entity.Team}`, '... on Team'],
    'User by e-mail': [`userByEmail(email: "${ada.email}")`],
    'User fetched again': [`fetch__User(id: "${ada.id}")`],
    'Organization fetched again': [`fetch__Organization(id: "${acme.id}")`],
    'Member fetched again': [`fetch__Member(id: "${memberId}")`],
    'Team fetched again': [`fetch__Team(id: "${ids.team}")`],
    'Inviter who has left': [...invitations, 'nodes', 'inviter'],
    'Inviter to the caller': [...received, 'inviter'],
    UserConnection: ['users'],
    UserEdge: ['users', 'edges'],
    UserOrganizationConnection: [user, 'organizations'],
    UserOrganizationEdge: [user, 'organizations', 'edges'],
    Account: [user, 'accounts'],
    Passkey: [user, 'passkeys'],
    ApiKey: [user, 'apiKeys'],
    'ApiKey of the organization': [organization, 'apiKeys'],
    ConnectedApp: [user, 'connectedApps'],
    ScimUser: [user, 'scimUsers'],
    SsoProvider: [organization, 'ssoProviders'],
    StripeSubscription: [user, 'subscriptions'],
    'StripeSubscription of the organization': [organization, 'subscriptions'],
    Session: [user, 'sessions', 'nodes'],
    SessionConnection: [user, 'sessions'],
    SessionEdge: [user, 'sessions', 'edges'],
    Organization: [organization],
    OrganizationConnection: ['organizations'],
    OrganizationEdge: ['organizations', 'edges'],
    OrganizationRole: [organization, 'roles'],
    Member: [organization, `member(userId: "${ada.id}")`],
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
export function argumentsOf({ ada, acme, memberId, ids }: Place): Readonly<Record<string, string>> {
  const stranger = '(userId: "nobody")'
  const aboutOneself = `{ permission: "leave:request", organizationId: "${acme.id}" }`
  const entity = entitiesOf({ ada, acme, memberId, ids })
  const notShared = '(filter: { roles: ["auditor"] })'
  return {
    'Query._entities': entity.User,
    'Query._entities/UserByEmail': entity['User by e-mail'],
    'Query._entities/Organization': entity.Organization,
    'Query._entities/OrganizationBySlug': entity['Organization by slug'],
    'Query._entities/UserByName': entity['User by user name'],
    'Query._entities/Member': entity.Member,
    'Query._entities/MemberByEnds': entity['Member by its ends'],
    'Query._entities/Team': entity.Team,
    'Query._entities/Invitation': entity.Invitation,
    'Query.user': `(id: "${ada.id}")`,
    'Query.usersByIds': `(ids: ["${ada.id}"])`,
    'Query.userByEmail': `(email: "${ada.email}")`,
    'Query.user/absent': '(id: "nobody")',
    'Query.usersByIds/absent': '(ids: ["nobody"])',
    'Query.userByEmail/absent': '(email: "nobody@example.com")',
    'Query.userByEmail/inCapitals': `(email: "${ada.email.toUpperCase()}")`,
    'Query.organization/absent': '(id: "nowhere")',
    'Query.organizationBySlug/absent': '(slug: "nowhere")',
    'Query.organizationsByIds/absent': '(ids: ["nowhere"])',
    'Query.usersByEmails': `(emails: ["${ada.email}"])`,
    'Query.usersByEmails/absent': '(emails: ["nobody@example.com"])',
    'Query.organizationsBySlugs': `(slugs: ["${acme.slug}"])`,
    'Query.organizationsBySlugs/absent': '(slugs: ["nowhere"])',
    'Query.membersByIds': `(ids: ["${memberId}"])`,
    'Query.membersByIds/absent': '(ids: ["nobody"])',
    'Query.team': `(id: "${ids.team}")`,
    'Query.team/absent': '(id: "nowhere")',
    'Query.invitation': `(id: "${ids.pending}")`,
    'Query.invitation/accepted': `(id: "${ids.accepted}")`,
    'Query.invitation/toTheCreatorRole': `(id: "${ids.toTheCreatorRole}")`,
    'Query.invitation/absent': '(id: "nowhere")',
    'Query.users/byEmail': '(orderBy: { field: EMAIL, direction: ASC })',
    'Query.users/ofRole': '(filter: { role: "user" })',
    'Query.users/banned': '(filter: { banned: true })',
    'Query.users/addressFound': `(filter: { search: "${ada.email}" })`,
    'Query.organization': `(id: "${acme.id}")`,
    'Query.organizationBySlug': `(slug: "${acme.slug}")`,
    'Query.organizationsByIds': `(ids: ["${acme.id}"])`,
    'Query.fetch__User': `(id: "${ada.id}")`,
    'Query.fetch__User/absent': '(id: "nobody")',
    'Query.fetch__Organization': `(id: "${acme.id}")`,
    'Query.fetch__Organization/absent': '(id: "nowhere")',
    'Query.fetch__Member': `(id: "${memberId}")`,
    'Query.fetch__Member/absent': '(id: "nowhere")',
    'Query.fetch__Team': `(id: "${ids.team}")`,
    'Query.fetch__Team/absent': '(id: "nowhere")',
    'Query.can': `(permission: "leave:approve", organizationId: "${acme.id}", userId: "${ada.id}")`,
    'Query.checkPermissions': `(checks: [${checkOf({ ada, acme, memberId, ids })}])`,
    'Query.checkPermissions/aboutOneself': `(checks: [${aboutOneself}])`,
    'Query.can/aboutOneself': `(permission: "leave:request", organizationId: "${acme.id}")`,
    'Query.explainPermission': `(permission: "leave:approve", organizationId: "${acme.id}", userId: "${ada.id}")`,
    'Query.explainPermission/aboutOneself': `(permission: "leave:request", organizationId: "${acme.id}")`,
    'User.memberships/notShared': notShared,
    'User.organizations/notShared': notShared,
    'Organization.member': `(userId: "${ada.id}")`,
    'Organization.member/ofAStranger': stranger,
    'Organization.members/addressFound': `(filter: { search: "${ada.email}" })`,
    'Organization.invitations/toTheCreatorRole': '(status: CANCELED)',
    'Organization.viewerCan': '(permission: "invitation:create")',
    'Member.can': '(permission: "leave:approve")',
  }
}

function entitiesOf({ ada, acme, memberId, ids }: Place) {
  const by = (type: string, key: string) => `(representations: [{ __typename: "${type}", ${key} }])`
  const one = (type: string, key: string, value: string) => by(type, `${key}: "${value}"`)
  return {
    User: one('User', 'id', ada.id),
    'User by e-mail': one('User', 'email', ada.email),
    Organization: one('Organization', 'id', acme.id),
    'Organization by slug': one('Organization', 'slug', acme.slug),
    'User by user name': one('User', 'username', ada.name.toLowerCase()),
    Member: one('Member', 'id', memberId),
    'Member by its ends': by(
      'Member',
      `organization: { id: "${acme.id}" }, user: { id: "${ada.id}" }`,
    ),
    Team: one('Team', 'id', ids.team),
    Invitation: one('Invitation', 'id', ids.pending),
  }
}

function checkOf({ ada, acme }: Place): string {
  return `{ permission: "leave:approve", organizationId: "${acme.id}", userId: "${ada.id}" }`
}
