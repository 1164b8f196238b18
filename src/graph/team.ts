import { checkKey } from '../domain/limits.ts'
import type { Team, TeamMemberWithUser } from '../domain/team.ts'
import { connect } from './connection.ts'
import type { Context } from './context.ts'
import type { Graph } from './graph.ts'
import { defineList } from './list.ts'
import { defineLoader, inOrderOf } from './loaders.ts'

export function defineTeam({ builder, refs }: Graph) {
  const { Team } = refs
  const TeamMember = builder.objectRef<TeamMemberWithUser & { readonly team: Team }>('TeamMember')
  const TeamConnection = builder.connectionObject(
    { type: Team, name: 'TeamConnection', description: 'A page of teams.' },
    { name: 'TeamEdge', description: 'A team at its place in the list.' },
  )
  const TeamMemberConnection = builder.connectionObject(
    { type: TeamMember, name: 'TeamMemberConnection', description: 'A page of team members.' },
    { name: 'TeamMemberEdge', description: 'A team member at their place in the list.' },
  )

  builder.objectType(Team, {
    description: 'A part of an organization.',
    fields: (t) => ({
      id: t.exposeID('id', { description: "Better Auth's own id." }),
      name: t.exposeString('name', { description: 'The name to show.' }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
      organization: t.field({
        type: refs.Organization,
        description: 'The organization it is a part of.',
        resolve: ({ organizationId }) => organizationId,
      }),
      members: t.field({
        type: TeamMemberConnection,
        nullable: true,
        description: 'Who is in it, the oldest membership first. For its members and services.',
        args: t.arg.connectionArgs(),
        resolve: async (team, args, context) => {
          const { id: parentId, organizationId } = team
          const own = await teamsOfViewer(context).load(organizationId)
          context.viewer.requireTeamMembers(own.some(({ id }) => id === parentId))
          const toNode = (teamMember: TeamMemberWithUser) => ({ team, ...teamMember })
          return connect(context, args, membersOfTeam, { parentId, variant: null }, toNode)
        },
      }),
    }),
  })
  TeamMember.implement({
    description: 'A person in a team.',
    fields: (t) => ({
      id: t.exposeID('id', { description: "Better Auth's own id." }),
      createdAt: t.expose('createdAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When they joined; null on old rows.',
      }),
      user: t.expose('user', { type: refs.User, description: 'The person.' }),
      team: t.expose('team', { type: Team, description: 'The team.' }),
    }),
  })

  builder.objectFields(refs.Organization, (t) => ({
    teams: t.field({
      type: TeamConnection,
      nullable: true,
      description: 'The teams, the oldest first.',
      args: t.arg.connectionArgs(),
      resolve: ({ id }, args, context) =>
        connect(context, args, teamsOfOrganization, { parentId: id, variant: null }),
    }),
    viewerTeams: t.field({
      type: [Team],
      nullable: true,
      description: 'The teams that the user who calls is in; empty for services.',
      resolve: ({ id }, _args, context) => teamsOfViewer(context).load(id),
    }),
  }))
}

/** The door to one team. `null`: there is none, or none in an organization the caller may see. */
export async function teamById(context: Context, id: string): Promise<Team | null> {
  context.viewer.requireScope('identity:read')
  const team = await teamsById(context).load(checkKey(id, 'id'))
  return (await context.viewer.seesOrganization(team?.organizationId ?? null)) ? team : null
}

export const teamsById = defineLoader<string, Team | null>(async (ids, { teams }) =>
  inOrderOf(ids, await teams.findByIds(ids), ({ id }) => id),
)

const teamsOfOrganization = defineList({
  field: 'Organization.teams',
  load: (ids, page, { teams }) => teams.listByOrganizationIds(ids, page),
  count: (ids, { teams }) => teams.countByOrganizationIds(ids),
})

const membersOfTeam = defineList({
  field: 'Team.members',
  load: (ids, page, { teams }) => teams.listMembers(ids, page),
  count: (ids, { teams }) => teams.countMembers(ids),
})

/** By organization; none when no user calls. */
const teamsOfViewer = defineLoader(async (organizationIds: readonly string[], context) => {
  const { userId } = context.viewer
  const teams = userId === null ? [] : await context.teams.findByUserId(userId, organizationIds)
  return organizationIds.map((id) => teams.filter((team) => team.organizationId === id))
})
