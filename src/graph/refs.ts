import type { ReachedUser } from '../access/viewer.ts'
import type { Features } from '../domain/features.ts'
import type { Invitation } from '../domain/invitation.ts'
import type { Member } from '../domain/member.ts'
import type { Organization } from '../domain/organization.ts'
import type { Team } from '../domain/team.ts'
import type { User, UserSummary } from '../domain/user.ts'
import { type Builder, createBuilder } from './builder.ts'
import { byId, type defineLoader } from './loaders.ts'

export type Refs = ReturnType<typeof createRefs>

/** A user, whole or as a list brought them, as the caller reached them. */
export type UserShown = UserSummary & ReachedUser

/** A membership, with what is at its ends where the statement that read it read that as well. */
export interface MemberShown extends Member {
  readonly user?: UserSummary
  readonly organization?: Organization
}

/** The types of the graph before they have fields, so that each type's file can name the others. */
export function createRefs(builder: Builder, features: Features) {
  const { organizations } = features
  // What has been named must be built, and so types that the graph lacks are named where nothing is.
  const elsewhere = organizations ? builder : createBuilder()
  const User = loadable<UserShown>(builder, 'User', usersById, {
    // Lists bring summaries, and the loader gives whole users.
    cacheResolved: false,
  })
  const Organization = loadable<Organization>(elsewhere, 'Organization', organizationsById, {
    cacheResolved: true,
  })
  const Member = elsewhere.objectRef<MemberShown>('Member')
  const Team = (hasTeams(features) ? builder : createBuilder()).objectRef<Team>('Team')
  const Invitation = (
    organizations && features.models.has('Invitation') ? builder : createBuilder()
  ).objectRef<Invitation>('Invitation')
  const Consistency = builder.enumType('Consistency', {
    description: 'How old an answer about permissions may be.',
    values: {
      CACHED: {
        description:
          'As of at most five minutes ago; usually from the cache, without a database read.',
      },
      FRESH: { description: 'Read from the database after this request began.' },
    } as const,
  })
  /** Arguments of every field that asks about permissions. */
  const consistencyArgument = builder.args((t) => ({
    consistency: t.field({
      type: Consistency,
      required: true,
      defaultValue: 'CACHED',
      description: 'How old the answer may be.',
    }),
  }))
  const permissionArgument = builder.args((t) => ({
    permission: t.field({
      type: 'Permission',
      required: true,
      description: 'For example `leave:approve`.',
    }),
  }))
  /** Arguments of a question about somebody in an organization. */
  const subjectArguments = builder.args((t) => ({
    organizationId: t.id({ required: true, description: 'In this organization.' }),
    userId: t.id({ description: 'This user; the caller when left out. Services must give it.' }),
  }))
  const OrderDirection = builder.enumType('OrderDirection', {
    description: 'Which way a list runs.',
    values: {
      ASC: { description: 'The smallest, oldest or alphabetically first one first.' },
      DESC: { description: 'The other way round.' },
    } as const,
  })
  const MemberConnection = elsewhere.connectionObject(
    { type: Member, name: 'MemberConnection', description: 'A page of memberships.' },
    { name: 'MemberEdge', description: 'A membership at its place in the list.' },
  )
  return {
    User,
    Organization,
    Member,
    Team,
    Invitation,
    MemberConnection,
    consistencyArgument,
    permissionArgument,
    subjectArguments,
    OrderDirection,
  }
}

/** Whether there are teams, and organizations that have them. */
export function hasTeams({ organizations, models }: Features): boolean {
  return organizations && models.has('Team') && models.has('TeamMember')
}

export const usersById = byId<User>((ids, { users }) => users.findByIds(ids))

export const organizationsById = byId<Organization>((ids, { organizations }) =>
  organizations.findByIds(ids),
)

/** A type whose resolvers may return the entity or just its id; the ids of one moment load together. */
function loadable<Entity extends { readonly id: string }>(
  builder: Builder,
  name: string,
  loader: ReturnType<typeof defineLoader<string, Entity | null>>,
  { cacheResolved }: { readonly cacheResolved: boolean },
) {
  const ref = builder.loadableObjectRef<Entity | null, string, unknown, Entity>(name, {
    load: (ids, context) => loader(context).loadMany(ids),
    toKey: ({ id }) => id,
    cacheResolved,
  })
  // All is well without this, but for the time: the plug-in would keep a second loader over ours in WeakMaps, and two new
  // keys in these with each request were a fifth of the time that a small one takes, because collecting garbage has to
  // look through them.
  builder.configStore.onTypeConfig(ref, (config) => {
    config.extensions = { ...config.extensions, getDataloader: loader }
  })
  return ref
}
