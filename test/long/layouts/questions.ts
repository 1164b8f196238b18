/** Who asks what: people by name, or a service with every scope. */
export interface Question {
  readonly as: string
  readonly query: string
  /** Names of people and things stand for their ids, as `@Acme`. */
  readonly variables?: Readonly<Record<string, unknown>>
  /** Only where Better Auth has its organization plug-in. */
  readonly organizations?: true
}

const user = `id name image email emailVerified createdAt updatedAt username displayUsername phoneNumber
  phoneNumberVerified twoFactorEnabled isAnonymous role roles banned isBanned banReason banExpires`
const invitation =
  'id email roles status expiresAt isExpired createdAt organizationName inviter { id } teamIds'
const page =
  'pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount totalCountIsExact'

/** One of each kind of statement that the gateway sends. */
export const questions: Readonly<Record<string, Question>> = {
  'one sees everything of oneself': {
    as: 'Bob',
    query: `{ viewer { ${user} hasPassword accounts { id providerId accountId scopes createdAt updatedAt }
      sessions(first: 5) { ${page} nodes { id createdAt expiresAt ipAddress userAgent impersonatedBy } } } }`,
  },
  'a platform admin lists users': {
    as: 'Ada',
    query: `{ users(first: 3) { ${page} nodes { ${user} } } }`,
  },
  'backwards, by name': {
    as: 'Ada',
    query: `{ users(last: 2, orderBy: { field: NAME, direction: DESC }) { ${page} nodes { id name } } }`,
  },
  'filters of users': {
    as: 'Ada',
    query: `{ banned: users(filter: { banned: true }) { nodes { name } }
      admins: users(filter: { role: "admin" }) { nodes { name } }
      search: users(filter: { search: "CL" }) { nodes { name } }
      byUsername: users(filter: { search: "bobb" }) { nodes { name } }
      byEmail: users(filter: { search: "eve@ex" }, orderBy: { field: EMAIL, direction: ASC }) { nodes { name } } }`,
  },
  'a user by e-mail, in any case': {
    as: 'service',
    query: '{ userByEmail(email: "ADA@Example.com") { id name role } }',
  },
  'ids that do not fit are nobody': {
    as: 'service',
    query: `{ user(id: "nobody") { id } usersByIds(ids: ["nobody", "00000000-0000-4000-8000-00000000ffff", "-1", "01", "+1", " 1", "1.0", "1e0", "2147483648", "9223372036854775808", "99999999999999999999"]) { id } }`,
  },
  'a banned user has no say': { as: 'Eve', query: '{ viewer { id } }' },
  'a user whose ban has run out has': { as: 'Dan', query: '{ viewer { name banExpires } }' },
  'ids of organizations that do not fit are nothing': {
    as: 'service',
    organizations: true,
    query: `{ organization(id: "nothing") { id } fetch__Organization(id: "nothing") { id } fetch__Member(id: "nothing") { id }
      organizationBySlug(slug: "nothing") { id }
      can(permission: "leave:approve", organizationId: "nothing", userId: "nobody") }`,
  },
  'when a session was prolonged': {
    as: 'Bob',
    organizations: true,
    query:
      '{ viewer { sessions { nodes { updatedAt activeOrganizationId activeOrganization { name } } } } }',
  },
  'the organizations of the caller': {
    as: 'Bob',
    organizations: true,
    query: `{ viewer { organizations(first: 5) { ${page} edges { cursor roles joinedAt node {
      id name slug logo metadata createdAt viewerPermissions viewerCan(permission: "leave:approve")
      viewerMembership { id roles createdAt } viewerTeams { id name }
      members(first: 10, orderBy: { field: USER_NAME, direction: DESC }) { ${page} nodes { id roles createdAt permissions user { id name email } } } } } } } }`,
  },
  'of another, only those that are shared': {
    as: 'Cleo',
    organizations: true,
    query: `query ($id: ID!) { fetch__User(id: $id) { name } user(id: $id) { name email username memberships(first: 5) { ${page} nodes { roles organization { name } } } } }`,
    variables: { id: '@Bob' },
  },
  'members in other orders, found by any word': {
    as: 'Cleo',
    organizations: true,
    query: `query ($id: ID!) { organization(id: $id) {
      byAddress: members(orderBy: { field: USER_EMAIL, direction: DESC }) { ${page} nodes { user { name } } }
      byRole: members(orderBy: { field: ROLE, direction: ASC }) { nodes { roles user { name } } }
      byDomain: members(filter: { search: "@exam" }) { totalCount nodes { user { name } } }
      byWord: members(filter: { search: "EXAMPLE.c" }) { totalCount nodes { user { name } } } } }`,
    variables: { id: '@Acme' },
  },
  'many by addresses, slugs and memberships': {
    as: 'service',
    organizations: true,
    query: `query ($ids: [ID!]!) { usersByEmails(emails: ["EVE@example.com", "nobody@example.com", "bob@example.com"]) { name }
      organizationsBySlugs(slugs: ["beta", "nothing", "acme"]) { name } membersByIds(ids: $ids) { roles user { name } } }`,
    variables: { ids: ['@Dan of Acme', 'nobody', '@Bob of Acme'] },
  },
  'organizations of the caller by name': {
    as: 'Bob',
    organizations: true,
    query: `{ viewer { organizations(orderBy: { field: NAME, direction: DESC }) { ${page} nodes { name } }
      byTime: organizations(orderBy: { field: JOINED_AT, direction: ASC }) { nodes { name } } } }`,
  },
  'one invitation, as the invited': {
    as: 'Cleo',
    organizations: true,
    query: `query ($id: ID!) { invitation(id: $id) { ${invitation} organization { id } } }`,
    variables: { id: '@invitation of cleo@example.com' },
  },
  'one invitation, as whoever may invite': {
    as: 'Bob',
    organizations: true,
    query: `query ($id: ID!) { invitation(id: $id) { ${invitation} organization { id } } }`,
    variables: { id: '@invitation of zoe@example.com' },
  },
  'one invitation to the creator role, as a creator': {
    as: 'Ada',
    organizations: true,
    query: `query ($id: ID!) { invitation(id: $id) { ${invitation} } }`,
    variables: { id: '@invitation of yan@example.com' },
  },
  'filters of members': {
    as: 'Cleo',
    organizations: true,
    query: `query ($id: ID!, $ids: [ID!]) { organization(id: $id) {
      roles: members(filter: { roles: ["clerk", "approver"] }) { nodes { user { name } } }
      permission: members(filter: { permission: "report:read" }) { totalCount nodes { user { name } } }
      search: members(filter: { search: "b" }) { nodes { user { name } } }
      ids: members(filter: { userIds: $ids }) { nodes { user { name } } }
      member(userId: "nobody") { id } } }`,
    variables: { id: '@Acme', ids: ['@Cleo', '@Eve', 'nobody'] },
  },
  'where one may': {
    as: 'Bob',
    organizations: true,
    query:
      '{ viewer { memberships(filter: { permission: "organization:delete" }) { nodes { organization { name } } } } }',
  },
  'invitations of an organization': {
    as: 'Ada',
    organizations: true,
    query: `query ($id: ID!) { organization(id: $id) { invitations(first: 5, status: PENDING) { ${page} nodes { ${invitation} } } } }`,
    variables: { id: '@Acme' },
  },
  'invitations to the creator role are for creators': {
    as: 'Bob',
    organizations: true,
    query: `query ($id: ID!) { organization(id: $id) { invitations(first: 5) { ${page} nodes { ${invitation} } } } }`,
    variables: { id: '@Acme' },
  },
  'invitations received': {
    as: 'Cleo',
    organizations: true,
    query: `{ viewer { receivedInvitations(first: 5) { ${page} nodes { ${invitation} } } } }`,
  },
  'teams and their members': {
    as: 'Cleo',
    organizations: true,
    query: `query ($id: ID!, $team: ID!) { team(id: $team) { name memberCount organization { name } } fetch__Team(id: $team) { name }
      organization(id: $id) { viewerTeams { id name } all: members { nodes { user { name } teams { id name } } }
      teams(first: 5) { ${page} nodes { id name createdAt members(first: 5) { ${page} nodes { id createdAt user { name } } } } } } }`,
    variables: { id: '@Acme', team: '@Blue' },
  },
  'static and dynamic roles': {
    as: 'Ada',
    organizations: true,
    query: 'query ($id: ID!) { organization(id: $id) { roles { name permissions source } } }',
    variables: { id: '@Acme' },
  },
  'permissions, also of dynamic roles': {
    as: 'service',
    organizations: true,
    query: `query ($checks: [PermissionCheckInput!]!) { checkPermissions(checks: $checks, consistency: FRESH) { allowed permission userId organizationId roles } }`,
    variables: {
      checks: ['Ada', 'Bob', 'Cleo', 'Dan', 'Eve'].flatMap((name) =>
        ['report:read', 'leave:approve', 'organization:delete'].map((permission) => ({
          permission,
          userId: `@${name}`,
          organizationId: '@Acme',
        })),
      ),
    },
  },
  'why permissions are granted or not': {
    as: 'service',
    organizations: true,
    query: `query ($acme: ID!, $a: ID!, $b: ID!) {
      dynamic: explainPermission(permission: "report:read", organizationId: $acme, userId: $a, consistency: FRESH) {
        allowed reason member active rows grantedBy grantingRoles roles { name grants source row permissions } }
      stranger: explainPermission(permission: "leave:approve", organizationId: $acme, userId: $b, consistency: FRESH) {
        allowed reason member rows grantingRoles } }`,
    variables: { acme: '@Acme', a: '@Bob', b: '@Eve' },
  },
  'all organizations': {
    as: 'service',
    organizations: true,
    query: `{ organizations(first: 1, orderBy: { field: NAME, direction: DESC }) { ${page} nodes { id name metadata } }
      last: organizations(last: 1) { ${page} nodes { name createdAt } } }`,
  },
}

/** Every list can be walked from either end: its field, as whom, and the fields around it. */
export const walks: Readonly<
  Record<string, Question & { readonly path: readonly string[]; readonly size: number }>
> = {
  users: {
    as: 'Ada',
    query: 'query ($page) { users(page) { ITEMS } }',
    path: ['users'],
    size: 5,
  },
  'users by e-mail': {
    as: 'Ada',
    query: 'query ($page) { users(page, orderBy: { field: EMAIL, direction: DESC }) { ITEMS } }',
    path: ['users'],
    size: 5,
  },
  'users made within a time': {
    as: 'Ada',
    query:
      'query ($page, $after: DateTime, $before: DateTime) { users(page, filter: { createdAfter: $after, createdBefore: $before }) { ITEMS } }',
    variables: { after: '#Ada', before: '#Eve' },
    path: ['users'],
    size: 3,
  },
  members: {
    as: 'Cleo',
    organizations: true,
    query: 'query ($page, $id: ID!) { organization(id: $id) { members(page) { ITEMS } } }',
    variables: { id: '@Acme' },
    path: ['organization', 'members'],
    size: 4,
  },
  memberships: {
    as: 'Bob',
    organizations: true,
    query: 'query ($page) { viewer { memberships(page) { ITEMS } } }',
    path: ['viewer', 'memberships'],
    size: 2,
  },
  invitations: {
    as: 'Ada',
    organizations: true,
    query: 'query ($page, $id: ID!) { organization(id: $id) { invitations(page) { ITEMS } } }',
    variables: { id: '@Acme' },
    path: ['organization', 'invitations'],
    size: 2,
  },
  'team members': {
    as: 'Ada',
    organizations: true,
    query:
      'query ($page, $id: ID!) { organization(id: $id) { teams(last: 1) { nodes { members(page) { ITEMS } } } } }',
    variables: { id: '@Acme' },
    path: ['organization', 'teams', 'nodes', '0', 'members'],
    size: 2,
  },
}
