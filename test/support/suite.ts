import { expect } from 'vitest'
import type { Identity, Organization, Person } from './identity.ts'

/** Two people in an organization that has one of everything. */
export interface SmallWorld {
  /** Platform admin, and owner of the organization. */
  readonly ada: Person
  /** Holds a role of the database; has an invitation to another organization. */
  readonly bob: Person
  readonly acme: Organization
}

export async function createSmallWorld(identity: Identity): Promise<SmallWorld> {
  const { api } = identity.betterAuth.auth
  const ada = await identity.signUp('Ada Lovelace')
  const bob = await identity.signUp('Bob')
  await identity.sql("update users set role = 'admin', email_verified = true")
  const acme = await identity.createOrganization(ada, 'Acme', { plan: 'free' })
  const { id: organizationId } = acme
  await api.createOrgRole({
    body: { organizationId, role: 'clerk', permission: { report: ['read'] } },
    headers: ada.headers,
  })
  await identity.addMember(acme, bob, 'member')
  await identity.sql("update members set role = 'clerk,member' where user_id = $1", [bob.id])
  const team = await api.createTeam({
    body: { organizationId, name: 'Crew' },
    headers: ada.headers,
  })
  for (const person of [ada, bob])
    await api.addTeamMember({
      body: { teamId: team.id, userId: person.id },
      headers: ada.headers,
    })
  const elsewhere = await identity.createOrganization(ada, 'Elsewhere')
  await api.createInvitation({
    body: { organizationId: elsewhere.id, email: bob.email, role: 'member' },
    headers: ada.headers,
  })
  return { ada, bob, acme }
}

export interface Asked {
  readonly query: string
  readonly variables: Readonly<Record<string, unknown>>
  readonly token: string
}

export type Ask = (asked: Asked) => Promise<{ readonly data?: unknown; readonly errors?: unknown }>

/** Asks one query of every kind that the gateway has. Answers the answers, by name; each is whole, without an error. */
export async function runSuite(
  ask: Ask,
  { ada, bob, acme }: SmallWorld,
  serviceToken: string,
): Promise<Readonly<Record<string, unknown>>> {
  const tokens = { ada: await ada.jwt(), bob: await bob.jwt(), service: serviceToken }
  const variables = {
    ada: ada.id,
    bob: bob.id,
    email: bob.email,
    acme: acme.id,
    slug: acme.slug,
    ids: [ada.id, 'nobody', bob.id],
    organizations: [acme.id, 'none'],
  }
  const answers: Record<string, unknown> = {}
  for (const [name, { as, query }] of Object.entries(queries)) {
    const used = Object.entries(variables).filter(([key]) => query.includes(`$${key}:`))
    const { data, errors = [] } = await ask({
      query,
      variables: Object.fromEntries(used),
      token: tokens[as],
    })
    expect(errors, name).toEqual([])
    expect(data, name).toBeTruthy()
    for (const [door, value] of Object.entries(data as object))
      expect(value, `${name}: ${door}`).not.toBeNull()
    answers[name] = data
  }
  return answers
}

const USER = `id name email emailVerified image createdAt updatedAt username displayUsername phoneNumber
  phoneNumberVerified twoFactorEnabled isAnonymous role banned banReason banExpires lastLoginMethod`
const SESSION = `id createdAt updatedAt expiresAt ipAddress userAgent activeOrganizationId impersonatedBy`
const ORGANIZATION = 'id name slug logo metadata createdAt'

const queries: Readonly<
  Record<string, { readonly as: 'ada' | 'bob' | 'service'; readonly query: string }>
> = {
  viewer: {
    as: 'bob',
    query: `{ viewer { ${USER} accounts { id providerId accountId scopes createdAt updatedAt }
      sessions { totalCount nodes { ${SESSION} } } organizations { totalCount edges { roles joinedAt } }
      receivedInvitations { nodes { id email roles status teamIds organizationName inviter { name } createdAt expiresAt } } } }`,
  },
  memberships: {
    as: 'bob',
    query: `{ viewer { memberships(filter: { permission: "report:read" }) { totalCount nodes { id roles createdAt
      permissions can(permission: "report:read") user { name } organization { ${ORGANIZATION} } } } } }`,
  },
  organization: {
    as: 'ada',
    query: `query ($acme: ID!, $bob: ID!) { organization(id: $acme) { ${ORGANIZATION} viewerPermissions
      viewerCan(permission: "member:create") viewerMembership { roles } viewerTeams { name }
      member(userId: $bob) { roles } roles { name permissions source }
      members(orderBy: { field: USER_NAME, direction: DESC }) { totalCount nodes { user { name email } roles } }
      found: members(filter: { search: "bo", roles: ["clerk"] }) { totalCount nodes { id } }
      teams { nodes { id name createdAt members { totalCount nodes { id createdAt user { name } } } } }
      invitations { totalCount nodes { email roles status inviter { id } } } } }`,
  },
  users: {
    as: 'ada',
    query: `{ byTime: users { totalCount nodes { ${USER} } }
      byName: users(orderBy: { field: NAME, direction: DESC }) { nodes { id } pageInfo { hasNextPage endCursor } }
      byEmail: users(first: 1, orderBy: { field: EMAIL, direction: ASC }) { nodes { email } pageInfo { hasNextPage } }
      found: users(filter: { search: "ad", role: "admin", createdAfter: "2000-01-01T00:00:00Z" }) { nodes { name } } }`,
  },
  services: {
    as: 'service',
    query: `query ($ada: ID!, $ids: [ID!]!, $email: String!, $slug: String!, $organizations: [ID!]!) {
      user(id: $ada) { ${USER} sessions { nodes { id } } accounts { id } }
      usersByIds(ids: $ids) { name memberships { nodes { roles } } }
      userByEmail(email: $email) { id }
      organizations(orderBy: { field: NAME, direction: ASC }) { totalCount nodes { ${ORGANIZATION} } }
      organizationBySlug(slug: $slug) { id invitations { nodes { email } } roles { name } }
      organizationsByIds(ids: $organizations) { slug } }`,
  },
  permissions: {
    as: 'service',
    query: `query ($acme: ID!, $ada: ID!, $bob: ID!) {
      can(permission: "report:read", organizationId: $acme, userId: $bob, consistency: FRESH)
      checkPermissions(checks: [
        { permission: "member:create", organizationId: $acme, userId: $ada }
        { permission: "report:read", organizationId: $acme, userId: $bob }
      ]) { allowed roles source } }`,
  },
}
