import { type Question, questions, walks } from '../layouts/questions.ts'

const page =
  'pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount totalCountIsExact'
const user = `id name image email emailVerified createdAt updatedAt username displayUsername phoneNumber
  phoneNumberVerified twoFactorEnabled isAnonymous role roles banned isBanned banReason banExpires lastLoginMethod`
const session =
  'id createdAt updatedAt expiresAt ipAddress userAgent activeOrganizationId impersonatedBy activeOrganization { name } activeTeam { name } impersonator { name }'
const invitation = `id email roles status expiresAt isExpired createdAt organizationName teamIds teams { name }
  inviter { id name } organization { id slug }`
const member = `id roles createdAt user { id name } organization { id slug }
  permissions(consistency: FRESH) can(permission: "report:read", consistency: FRESH)
  cached: permissions(consistency: CACHED) may: can(permission: "leave:approve", consistency: CACHED)`
const check = (name: string) =>
  `{ permission: "report:read", organizationId: $organization, userId: $${name} }`
const decision = 'allowed permission userId organizationId roles resolvedAt source ageSeconds'
const explanation = `decision { ${decision} } allowed reason member active rows grantedBy grantingRoles readAt
  roles { name grants source row permissions }`

/** Beside the questions that every layout is asked, whatever else the graph has. */
const further: Readonly<Record<string, Question>> = {
  'a user by id': {
    as: 'service',
    query: `query ($id: ID!) { user(id: $id) { ${user} accounts { id providerId accountId scopes createdAt updatedAt }
      sessions(last: 1) { ${page} nodes { ${session} } edges { cursor node { ${session} } } } } }`,
    variables: { id: '@Bob' },
  },
  'the session that calls': {
    as: 'Bob, by cookie',
    query: `{ viewerSession { isCurrent ${session} } viewer { sessions { nodes { id isCurrent } } } }`,
  },
  'users in every order': {
    as: 'Ada',
    query: `{ byName: users(first: 2, orderBy: { field: NAME, direction: ASC }) { edges { cursor node { id } } }
      byTime: users(orderBy: { field: CREATED_AT, direction: DESC }) { nodes { id } } }`,
  },
  'memberships of another': {
    as: 'service',
    query: `query ($id: ID!) { user(id: $id) {
      memberships(last: 3, filter: { roles: ["admin", "member"] }) { ${page} edges { cursor node { ${member} } } }
      organizations(last: 3, filter: { permission: "leave:approve", roles: ["admin", "member"] }) {
        ${page} nodes { id } edges { cursor roles joinedAt node { id name } } } } }`,
    variables: { id: '@Bob' },
  },
  'an organization by its slug': {
    as: 'Ada',
    query: `query ($id: ID!) { organizationBySlug(slug: "acme") { id name slug logo metadata createdAt
      viewerPermissions(consistency: FRESH) viewerCan(permission: "member:create", consistency: FRESH)
      cached: viewerPermissions(consistency: CACHED) may: viewerCan(permission: "member:create", consistency: CACHED)
      viewerMembership { ${member} } viewerTeams { id name organization { id } }
      member(userId: $id) { ${member} }
      members(last: 2, orderBy: { field: CREATED_AT, direction: ASC }) { edges { cursor node { id } } }
      roles { name permissions source } } }`,
    variables: { id: '@Cleo' },
  },
  'invitations in every state': {
    as: 'service',
    query: `query ($id: ID!) { organization(id: $id) {
      all: invitations(last: 9) { edges { cursor node { ${invitation} } } }
      pending: invitations(status: PENDING) { nodes { id } } accepted: invitations(status: ACCEPTED) { nodes { id } }
      canceled: invitations(status: CANCELED) { nodes { id } } rejected: invitations(status: REJECTED) { nodes { id } } } }`,
    variables: { id: '@Acme' },
  },
  'invitations to the caller': {
    as: 'Cleo',
    query: `{ viewer { receivedInvitations(last: 9) { ${page} edges { cursor node { id email roles status inviter { name } } } } } }`,
  },
  'teams, from the end': {
    as: 'service',
    query: `query ($id: ID!) { organization(id: $id) { teams(last: 5) { ${page} edges { cursor node { id name createdAt
      organization { id } members(last: 5) { ${page} edges { cursor node { id createdAt team { id } user { id } } } } } } } } }`,
    variables: { id: '@Acme' },
  },
  'many by their ids': {
    as: 'service',
    query: `query ($users: [ID!]!, $organizations: [ID!]!) { usersByIds(ids: $users) { ${user} }
      organizationsByIds(ids: $organizations) { id slug metadata } }`,
    variables: { users: ['@Eve', '@Ada', '@Eve'], organizations: ['@Beta', 'nothing', '@Acme'] },
  },
  'what Relay fetches again': {
    as: 'service',
    query: `query ($user: ID!, $organization: ID!, $member: ID!, $team: ID!) { fetch__User(id: $user) { ${user} }
      fetch__Organization(id: $organization) { id slug } fetch__Member(id: $member) { id roles user { name } }
      fetch__Team(id: $team) { id name } }`,
    variables: { user: '@Bob', organization: '@Acme', member: '@Bob of Acme', team: '@Blue' },
  },
  'lists of organizations': {
    as: 'service',
    query: `{ byTime: organizations(orderBy: { field: CREATED_AT, direction: ASC }) { ${page} edges { cursor node { id } } } }`,
  },
  'a decision of this moment': {
    as: 'service',
    query: `query ($organization: ID!, $a: ID!, $b: ID!) {
      can(permission: "report:read", organizationId: $organization, userId: $a, consistency: FRESH)
      checkPermissions(checks: [${check('a')}, ${check('b')}], consistency: FRESH) { ${decision} } }`,
    variables: { organization: '@Acme', a: '@Bob', b: '@Dan' },
  },
  'a decision of before': {
    as: 'service',
    query: `query ($organization: ID!, $a: ID!, $b: ID!) {
      can(permission: "report:read", organizationId: $organization, userId: $b, consistency: CACHED)
      checkPermissions(checks: [${check('a')}, ${check('b')}], consistency: CACHED) { ${decision} } }`,
    variables: { organization: '@Acme', a: '@Bob', b: '@Dan' },
  },
  'why a decision is as it is': {
    as: 'service',
    query: `query ($organization: ID!, $a: ID!) {
      granted: explainPermission(permission: "report:read", organizationId: $organization, userId: $a, consistency: FRESH) { ${explanation} }
      before: explainPermission(permission: "report:read", organizationId: $organization, userId: $a, consistency: CACHED) { ${explanation} } }`,
    variables: { organization: '@Acme', a: '@Bob' },
  },
  entities: {
    as: 'service',
    query: `query ($user: ID!, $organization: ID!, $member: ID!, $team: ID!) { _entities(representations: [
      { __typename: "User", id: $user } { __typename: "User", email: "bob@example.com" }
      { __typename: "Organization", id: $organization } { __typename: "Organization", slug: "beta" }
      { __typename: "Member", id: $member } { __typename: "User", id: "nobody" } { __typename: "User", username: "bobby" }
      { __typename: "Member", organization: { id: $organization } user: { id: $user } }
      { __typename: "Team", id: $team }]) {
        ... on User { ${user} } ... on Organization { id name metadata } ... on Member { id roles user { name } } ... on Team { id name } } }`,
    variables: { user: '@Ada', organization: '@Acme', member: '@Bob of Acme', team: '@Blue' },
  },
  'the graph as a subgraph': { as: 'nobody', query: '{ _service { sdl } }' },
}

const furtherWalks: typeof walks = {
  'sessions of the caller': {
    as: 'Bob',
    query: 'query ($page) { viewer { sessions(page) { ITEMS } } }',
    path: ['viewer', 'sessions'],
    size: 1,
  },
  'organizations of the caller': {
    as: 'Bob',
    query: 'query ($page) { viewer { organizations(page) { ITEMS } } }',
    path: ['viewer', 'organizations'],
    size: 2,
  },
  'invitations that were received': {
    as: 'Cleo',
    query: 'query ($page) { viewer { receivedInvitations(page) { ITEMS } } }',
    path: ['viewer', 'receivedInvitations'],
    size: 1,
  },
  teams: {
    as: 'Ada',
    query: 'query ($page, $id: ID!) { organization(id: $id) { teams(page) { ITEMS } } }',
    variables: { id: '@Acme' },
    path: ['organization', 'teams'],
    size: 2,
  },
  organizations: {
    as: 'service',
    query: 'query ($page) { organizations(page) { ITEMS } }',
    path: ['organizations'],
    size: 2,
  },
}

export const allQuestions = { ...questions, ...further }
export const allWalks = { ...walks, ...furtherWalks }
