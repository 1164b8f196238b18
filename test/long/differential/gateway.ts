import { codesOf } from '../../support/codes.ts'
import type { GatewayUnderTest } from '../../support/gateway.ts'
import { inOrder, type Json, type OrganizationView, type Shown, type View } from './view.ts'

const organizationFields = 'id name slug logo metadata createdAt'
const teamFields = 'id name createdAt organization { id }'
const invitationFields =
  'id email roles status teamIds expiresAt createdAt organization { id } inviter { id } organizationName'
const userFields = `id name email image emailVerified createdAt updatedAt username displayUsername
  phoneNumber phoneNumberVerified twoFactorEnabled isAnonymous role banned banReason banExpires lastLoginMethod`
const sessionFields =
  'id createdAt updatedAt expiresAt ipAddress userAgent activeOrganizationId impersonatedBy'

const ofTheCaller = `{
  viewer {
    organizations(first: 100) { nodes { ${organizationFields} viewerTeams { ${teamFields} } } }
    receivedInvitations(first: 100) { nodes { ${invitationFields} } }
    sessions(first: 100) { nodes { ${sessionFields} } }
    accounts { id providerId accountId scopes createdAt updatedAt }
  }
  users(first: 100) { nodes { ${userFields} } }
}`

const ofAnOrganization = `query ($id: ID!) {
  organization(id: $id) {
    ${organizationFields}
    members(first: 100) {
      nodes { id roles createdAt organization { id } user { id name email image } }
    }
    invitations(first: 100) { nodes { ${invitationFields} } }
    teams(first: 20) {
      nodes { ${teamFields} members(first: 20) { nodes { id createdAt team { id } user { id } } } }
    }
    roles { name permissions source }
  }
}`

/** What the gateway shows a caller, under Better Auth's names. */
export async function readGateway(
  gateway: GatewayUnderTest,
  token: string,
  organizationIds: readonly string[],
): Promise<View> {
  const answer = await gateway.graphql(ofTheCaller, { token })
  const refused = codesOf(answer)
  const { viewer, users } = answer.data
  const views: [string, OrganizationView | 'refused'][] = []
  for (const id of organizationIds) views.push([id, await readOne(gateway, token, id)])
  return {
    organizations: shown(viewer.organizations.nodes, ({ viewerTeams: _, ...rest }) => rest),
    teams: shown(
      viewer.organizations.nodes.flatMap(({ viewerTeams }: { viewerTeams: Json[] }) => viewerTeams),
      toTeam,
    ),
    received: shown(viewer.receivedInvitations.nodes, (node) => {
      const { organizationId: _, ...rest } = toInvitation(node)
      return { ...rest, organizationName: node.organizationName }
    }),
    sessions: shown(viewer.sessions.nodes),
    accounts: shown(viewer.accounts),
    users: refused.users === 'FORBIDDEN' ? 'refused' : shown(users.nodes),
    in: Object.fromEntries(views),
  }
}

/** As platform admin. */
export async function readSessionsOf(
  gateway: GatewayUnderTest,
  token: string,
  userId: string,
): Promise<Shown> {
  const query = `query ($id: ID!) { user(id: $id) { sessions { nodes { ${sessionFields} } } } }`
  const answer = await gateway.graphql(query, { token, variables: { id: userId } })
  return codesOf(answer)['user.sessions']
    ? 'refused'
    : shown(answer.data.user?.sessions.nodes ?? [])
}

async function readOne(
  gateway: GatewayUnderTest,
  token: string,
  id: string,
): Promise<OrganizationView | 'refused'> {
  const answer = await gateway.graphql(ofAnOrganization, { token, variables: { id } })
  const refused = codesOf(answer)
  if (answer.data.organization === null) return 'refused'
  const { members, invitations, teams, roles, ...organization } = answer.data.organization
  const teamMembers = teams.nodes.map(
    ({ id, members }: { id: string; members: { nodes: Json[] } | null }, i: number) => [
      id,
      refused[`organization.teams.nodes.${i}.members`] === 'FORBIDDEN'
        ? 'refused'
        : shown(members?.nodes ?? [], toTeamMember),
    ],
  )
  return {
    organization,
    members: shown(members.nodes, toMember),
    invitations:
      refused['organization.invitations'] === 'FORBIDDEN'
        ? 'refused'
        : shown(invitations.nodes, toInvitation),
    teams: shown(teams.nodes, toTeam),
    teamMembers: Object.fromEntries(teamMembers),
    roles:
      refused['organization.roles'] === 'FORBIDDEN'
        ? 'refused'
        : shown(
            roles.filter(({ source }: Json) => source !== 'STATIC'),
            ({ name, permissions }) => ({ role: name, permission: permissions }),
          ),
  }
}

function shown(nodes: readonly Json[], translate: (node: Json) => Json = (node) => node): Shown {
  return inOrder(nodes.map(translate))
}

function toTeam({ members: _, organization, ...team }: Json): Json {
  return { ...team, organizationId: idOf(organization) }
}

function toTeamMember({ user, team, ...teamMember }: Json): Json {
  return { ...teamMember, teamId: idOf(team), userId: idOf(user) }
}

function toMember({ roles, user, organization, ...member }: Json): Json {
  const organizationId = idOf(organization)
  return { ...member, role: asList(roles), user, userId: idOf(user), organizationId }
}

/** A team list that is empty is null at Better Auth. */
function toInvitation({ roles, teamIds, organizationName: _, ...node }: Json): Json {
  const { organization, inviter, status, ...invitation } = node
  return {
    ...invitation,
    role: asList(roles),
    teamId: asList(teamIds) || null,
    status: String(status).toLowerCase(),
    organizationId: idOf(organization),
    inviterId: idOf(inviter),
  }
}

function asList(names: unknown): string {
  return (names as string[]).join(',')
}

function idOf(entity: unknown): unknown {
  return (entity as Json | null)?.id
}
