import { LONGEST_KEY } from '../domain/limits.ts'
import type { Session } from '../domain/session.ts'
import type { Graph } from './graph.ts'
import { connect } from './lists/connection.ts'
import { defineList } from './lists/list.ts'
import { byId } from './loaders.ts'
import { organizationById } from './organization.ts'
import { hasTeams } from './refs.ts'
import { teamById } from './team.ts'
import { userById } from './user.ts'

export function defineSession({ builder, refs, features }: Graph) {
  const Session = builder.objectRef<Session>('Session').implement({
    description: 'A sign-in of a user on one device, without its token.',
    fields: (t) => ({
      id: t.exposeID('id', { description: "Better Auth's own id." }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When they signed in.' }),
      updatedAt: t.expose('updatedAt', {
        type: 'DateTime',
        description: 'When it was last prolonged.',
      }),
      expiresAt: t.expose('expiresAt', {
        type: 'DateTime',
        description: 'When it ends unless it is prolonged.',
      }),
      ipAddress: t.exposeString('ipAddress', {
        nullable: true,
        description: 'The address signed in from.',
      }),
      userAgent: t.exposeString('userAgent', {
        nullable: true,
        description: 'What the browser said it was.',
      }),
      activeOrganizationId: t.exposeID('activeOrganizationId', {
        nullable: true,
        description: 'The organization last chosen; the user may have left it since.',
      }),
      impersonatedBy: t.exposeID('impersonatedBy', {
        nullable: true,
        description: 'The platform admin who acts as the user.',
      }),
    }),
  })
  builder.objectFields(Session, (t) => ({
    isCurrent: t.boolean({
      nullable: true,
      description:
        'Whether the caller calls with this session; null where the gateway does not know with which, as by most JWTs.',
      resolve: async ({ id }, _args, { viewer }) => {
        const current = await viewer.sessionId()
        return current === null ? null : current === id
      },
    }),
    impersonator: t.field({
      type: refs.User,
      nullable: true,
      description:
        'The platform admin who acts as the user; null where the caller may not see them.',
      resolve: ({ impersonatedBy }, _args, context) =>
        isKey(impersonatedBy) ? userById(context, impersonatedBy) : null,
    }),
  }))
  if (features.organizations)
    builder.objectField(Session, 'activeOrganization', (t) =>
      t.field({
        type: refs.Organization,
        nullable: true,
        description:
          'The organization last chosen; null where none was, and when the caller may not see it, for example because they have left it.',
        resolve: ({ activeOrganizationId: id }, _args, context) =>
          isKey(id) ? organizationById(context, id) : null,
      }),
    )
  if (hasTeams(features))
    builder.objectField(Session, 'activeTeam', (t) =>
      t.field({
        type: refs.Team,
        nullable: true,
        description:
          'The team last chosen; null where none was, and when the caller may not see its organization.',
        resolve: ({ activeTeamId: id }, _args, context) =>
          isKey(id) ? teamById(context, id) : null,
      }),
    )
  builder.queryField('viewerSession', (t) =>
    t.field({
      type: Session,
      nullable: true,
      description:
        'The session the user calls with; null where the gateway does not know it, as by a JWT that has no `sid`, for services and without a credential.',
      resolve: async (_root, _args, context) => {
        const { viewer } = context
        const [self, id] = await Promise.all([viewer.self(), viewer.sessionId()])
        const session = self && id !== null ? await sessionsById(context).load(id) : null
        const isOwn = session !== null && session.userId === self?.id
        return isOwn && session.expiresAt.getTime() > Date.now() ? session : null
      },
    }),
  )
  const Connection = builder.connectionObject(
    { type: Session, name: 'SessionConnection', description: 'A page of sessions.' },
    { name: 'SessionEdge', description: 'A session at its place in the list.' },
  )
  builder.objectField(refs.User, 'sessions', (t) =>
    t.field({
      type: Connection,
      nullable: true,
      description: 'Sessions that have not expired, the oldest first.',
      args: t.arg.connectionArgs(),
      resolve: async (user, args, context, info) => {
        await context.viewer.requireUserField(user, 'sessions')
        return connect(context, args, sessionsOfUser, { parentId: user.id, variant: null, info })
      },
    }),
  )
}

const sessionsById = byId<Session>((ids, { sessions }) => sessions.findByIds(ids))

/** What is stored may be anything, and the door takes ids alone. */
function isKey(stored: string | null): stored is string {
  return stored !== null && stored !== '' && stored.length <= LONGEST_KEY
}

const sessionsOfUser = defineList({
  field: 'User.sessions',
  load: (userIds, page, { sessions }) => sessions.listByUserIds(userIds, page),
  count: (userIds, { sessions }) => sessions.countByUserIds(userIds),
})
