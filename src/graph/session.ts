import type { Session } from '../domain/session.ts'
import { connect } from './connection.ts'
import type { Graph } from './graph.ts'
import { defineList } from './list.ts'

export function defineSession({ builder, refs }: Graph) {
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
      resolve: async (user, args, context) => {
        await context.viewer.requireUserField(user, 'sessions')
        return connect(context, args, sessionsOfUser, { parentId: user.id, variant: null })
      },
    }),
  )
}

const sessionsOfUser = defineList({
  field: 'User.sessions',
  load: (userIds, page, { sessions }) => sessions.listByUserIds(userIds, page),
  count: (userIds, { sessions }) => sessions.countByUserIds(userIds),
})
