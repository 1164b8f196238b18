import { type Change, changeKinds, type Topics } from '../domain/changes.ts'
import { GatewayError } from '../domain/errors.ts'
import { checkKey } from '../domain/limits.ts'
import type { Organization } from '../domain/organization.ts'
import type { User } from '../domain/user.ts'
import type { Context } from './context.ts'
import type { Graph } from './graph.ts'
import { organizationById } from './organization.ts'

/** An event, with the entity that it is about as it is now. */
interface ChangeOf<Entity> {
  readonly kind: Change['kind']
  readonly entity: Entity | null
}

/** Subscriptions. An event says that something has changed, and what is selected in it is read anew, as a query would be. */
export function defineChanges(graph: Graph) {
  const { builder, refs, features } = graph
  const Kind = builder.enumType('ChangeKind', {
    description: 'What an event of a subscription says.',
    values: Object.fromEntries(
      changeKinds.map((kind) => [kind, { description: kinds[kind] }]),
    ) as Record<Change['kind'], { description: string }>,
  })
  const ViewerChange = builder.objectRef<ChangeOf<User>>('ViewerChange').implement({
    description: 'Something has changed of the user who calls.',
    fields: (t) => ({
      kind: t.expose('kind', { type: Kind, description: 'What the event says.' }),
      viewer: t.expose('entity', {
        type: refs.User,
        nullable: true,
        description: 'The user as they are now; null in the last event.',
      }),
    }),
  })
  builder.subscriptionType({
    description:
      'News of changes, as Server-Sent Events. The first event comes at once. A stream that is cut off without the event `complete` is to be opened again, and one that has ended with `ENDED` is not.',
  })
  builder.subscriptionField('viewerChanged', (t) =>
    t.field({
      type: ViewerChange,
      nullable: true,
      description:
        'Tells when the account of the user who calls, their sessions, memberships or permissions have changed.',
      subscribe: (_root, _args, context) => {
        context.viewer.requireCredential()
        const { userId: user } = context.viewer
        if (user === null) throw new GatewayError('FORBIDDEN', 'This is for users.')
        return open(context, { user })
      },
      resolve: async (change: Change, _args, { viewer }) => ({
        entity: await unlessEnded(change, () => viewer.self()),
        kind: change.kind,
      }),
    }),
  )
  if (features.organizations) defineOrganizationChanges(graph, Kind)
  defineAccessChanges(graph, Kind)
}

type KindRef = ReturnType<Graph['builder']['enumType']>

function defineOrganizationChanges({ builder, refs }: Graph, Kind: KindRef) {
  const OrganizationChange = builder
    .objectRef<ChangeOf<Organization>>('OrganizationChange')
    .implement({
      description: 'Something has changed of an organization.',
      fields: (t) => ({
        kind: t.expose('kind', { type: Kind, description: 'What the event says.' }),
        organization: t.expose('entity', {
          type: refs.Organization,
          nullable: true,
          description: 'The organization as it is now; null in the last event.',
        }),
      }),
    })
  builder.subscriptionField('organizationChanged', (t) =>
    t.field({
      type: OrganizationChange,
      nullable: true,
      description:
        'Tells when the members, roles, teams or the data of an organization have changed; null, and nothing more, when there is none, or none the caller may see.',
      args: { id: t.arg.id({ required: true, description: "Better Auth's id of it." }) },
      subscribe: (_root, { id }, context) => {
        context.viewer.requireScope('identity:read')
        const { userId: user } = context.viewer
        return open(context, { organization: checkKey(id, 'id'), ...(user && { user }) })
      },
      resolve: async (change: Change, { id }, context) => {
        const entity = await unlessEnded(change, () => organizationById(context, id))
        return entity || change.kind === 'ENDED' ? { entity, kind: change.kind } : null
      },
    }),
  )
}

function defineAccessChanges({ builder }: Graph, Kind: KindRef) {
  const AccessChange = builder.objectRef<Change>('AccessChange').implement({
    description: 'What has changed, as ids alone.',
    fields: (t) => ({
      kind: t.expose('kind', { type: Kind, description: 'What the event says.' }),
      userIds: t.exposeIDList('userIds', {
        description:
          'Users whose account, memberships or permissions may have changed, or who are no more; empty unless the event is `CHANGED`.',
      }),
      organizationIds: t.exposeIDList('organizationIds', {
        description:
          'Organizations whose members, roles, teams or data may have changed, or that are no more; empty unless the event is `CHANGED`.',
      }),
      resumeToken: t.exposeString('resumeToken', {
        nullable: true,
        description:
          'Given as `after`, it lets a later subscription go on here, at any gateway of the same database; null in the last event.',
      }),
    }),
  })
  builder.subscriptionField('accessChanged', (t) =>
    t.field({
      type: AccessChange,
      nullable: true,
      description:
        'Tells whose access may have changed, for services that keep something derived from it. Something may be told twice, and is never left out: what is too much or too long ago is told as `READ_AGAIN`.',
      args: {
        after: t.arg.string({
          description:
            'The `resumeToken` of the last event that was seen, for example `ZGF0YWJhc2UgMTc5NTc1MjAwMDAwMA`.',
        }),
      },
      subscribe: (_root, { after }, context) => {
        context.viewer.requireScope('identity:read')
        return open(context, { everything: true, after: after ?? null })
      },
      resolve: async (change: Change, _args, { viewer }) => {
        await unlessEnded(change, () => viewer.requireList('changes'))
        return change
      },
    }),
  )
}

const kinds: Readonly<Record<Change['kind'], string>> = {
  READ_AGAIN:
    'Read everything again: the subscription begins, or more has changed than is told one by one.',
  CHANGED: 'Something has changed, perhaps several times.',
  ENDED:
    'The last event: the credential is over, the account is not active any more, or what was subscribed to is not there for the caller any more.',
}

/** With the session of a user ends what they have subscribed to by it. */
function open({ changes, viewer }: Context, topics: Topics) {
  if (!changes) throw new GatewayError('UNAVAILABLE', 'There are no subscriptions here.')
  const { userId } = viewer
  return changes.open(userId === null ? topics : { ...topics, sessionsOf: userId })
}

/**
 * What an event is about, as the caller sees it now. Where they saw it before and do not any more, the event becomes the
 * last one.
 */
async function unlessEnded<Entity>(
  change: Change,
  read: () => Promise<Entity | null>,
): Promise<Entity | null> {
  if (change.kind === 'ENDED') return null
  try {
    const entity = await read()
    if (entity === null && !change.isFirst) change.end()
    return entity
  } catch (error) {
    if (change.isFirst || !(error instanceof GatewayError)) throw error
    if (error.code !== 'UNAUTHENTICATED' && error.code !== 'FORBIDDEN') throw error
    change.end()
    return null
  }
}
