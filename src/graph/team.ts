import { checkKey } from '../domain/limits.ts'
import { pairKey, type Subject } from '../domain/permission.ts'
import type { Team, TeamMemberWithUser } from '../domain/team.ts'
import type { Context } from './context.ts'
import type { Graph } from './graph.ts'
import { connect } from './lists/connection.ts'
import { defineList, OF_LISTED_PEOPLE } from './lists/list.ts'
import { byId, defineLoader } from './loaders.ts'

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
      memberCount: t.int({
        nullable: true,
        description:
          'How many are in it, as `totalCount` of `members` counts. For its members and services.',
        resolve: async (team, _args, context) => {
          await requireMembers(team, context)
          return (await membersOfTeam.counts(context, null).load(team.id))?.count ?? 0
        },
      }),
      members: t.field({
        type: TeamMemberConnection,
        nullable: true,
        description: 'Who is in it, the oldest membership first. For its members and services.',
        args: t.arg.connectionArgs(),
        resolve: async (team, args, context, info) => {
          await requireMembers(team, context)
          const { id: parentId } = team
          const toNode = (teamMember: TeamMemberWithUser) => ({ team, ...teamMember })
          return connect(context, args, membersOfTeam, { parentId, variant: null, info }, toNode)
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

  builder.queryField('team', (t) =>
    t.field({
      type: Team,
      nullable: true,
      description:
        'A team by id; null when there is none, or none in an organization the caller may see.',
      args: { id: t.arg.id({ required: true, description: "Better Auth's id of the team." }) },
      resolve: (_root, { id }, context) => teamById(context, id),
    }),
  )
  builder.objectField(refs.Member, 'teams', (t) =>
    t.field({
      type: [Team],
      nullable: true,
      description:
        'The teams the member is in, the oldest first, at most 100; of another than the caller, those that the caller is in as well. Services see all.',
      resolve: async ({ userId, organizationId }, _args, context) => {
        const [own, teams] = await Promise.all([
          teamsOfViewer(context).load(organizationId),
          teamsOfMember(context).load({ userId, organizationId }),
        ])
        const ids = new Set(own.map(({ id }) => id))
        return teams.filter(({ id }) => context.viewer.showsTeamMembers(ids.has(id)))
      },
    }),
  )
  builder.objectFields(refs.Organization, (t) => ({
    teams: t.field({
      type: TeamConnection,
      nullable: true,
      description: 'The teams, the oldest first.',
      args: t.arg.connectionArgs(),
      resolve: ({ id }, args, context, info) =>
        connect(context, args, teamsOfOrganization, { parentId: id, variant: null, info }),
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

/** @throws GatewayError FORBIDDEN unless the caller may see who is in it. */
async function requireMembers({ id, organizationId }: Team, context: Context): Promise<void> {
  const own = await teamsOfViewer(context).load(organizationId)
  context.viewer.requireTeamMembers(own.some((team) => team.id === id))
}

export const teamsById = byId<Team>((ids, { teams }) => teams.findByIds(ids))

const teamsOfMember = defineLoader<Subject, readonly Team[]>(
  async (pairs, { teams }) => {
    const found = new Map((await teams.findByPairs(pairs)).map((one) => [pairKey(one), one.teams]))
    return pairs.map((pair) => found.get(pairKey(pair)) ?? [])
  },
  { cacheKeyFn: pairKey },
)

const teamsOfOrganization = defineList({
  field: 'Organization.teams',
  load: (ids, page, { teams }) => teams.listByOrganizationIds(ids, page),
  count: (ids, { teams }) => teams.countByOrganizationIds(ids),
})

const membersOfTeam = defineList({
  field: 'Team.members',
  neededBy: OF_LISTED_PEOPLE,
  load: (ids, page, { teams }) => teams.listMembers(ids, page),
  count: (ids, { teams }) => teams.countMembers(ids),
})

/** By organization; none when no user calls. */
const teamsOfViewer = defineLoader(async (organizationIds: readonly string[], context) => {
  const { userId } = context.viewer
  const teams = userId === null ? [] : await context.teams.findByUserId(userId, organizationIds)
  return organizationIds.map((id) => teams.filter((team) => team.organizationId === id))
})
