import type { GuardedUserField } from '../access/audiences.ts'
import { checkKey } from '../domain/limits.ts'
import { parseRoles } from '../domain/member.ts'
import type { User } from '../domain/user.ts'
import { type Context, enterEach } from './context.ts'
import type { Graph } from './graph.ts'
import { defineLoader, inOrderOf } from './loaders.ts'
import { type UserShown, usersById } from './refs.ts'

export function defineUser(graph: Graph) {
  const { builder, refs, features } = graph
  builder.objectType(refs.User, {
    description:
      'A person Better Auth knows. Fields that are not for the caller are null with `FORBIDDEN`, told once where they are many in a list.',
    fields: (t) => ({
      id: t.exposeID('id', { description: "Better Auth's own id." }),
      name: t.exposeString('name', { description: 'The name to show.' }),
      image: t.string({
        nullable: true,
        description: 'Address of a picture.',
        resolve: (user, _args, context) => columnOf(user, 'image', context),
      }),
    }),
  })

  for (const field of Object.keys(columns) as (keyof typeof columns)[]) {
    const { type, description } = columns[field]
    if (!features.userFields.has(field)) continue
    builder.objectField(refs.User, field, (t) =>
      t.field({
        type: type as 'String',
        nullable: true,
        description,
        resolve: (user, _args, context) => {
          const { viewer } = context
          const read = () => columnOf(user, field, context) as string | null
          return viewer.showsUserField(user, field)
            ? read()
            : viewer.requireUserField(user, field).then(read)
        },
      }),
    )
  }

  defineDerived(graph)

  builder.queryFields((t) => ({
    viewer: t.field({
      type: refs.User,
      nullable: true,
      description: 'The user who calls; null for services and without a credential.',
      resolve: (_root, _args, { viewer }) => viewer.self(),
    }),
    user: t.field({
      type: refs.User,
      nullable: true,
      description: 'A user by id; null when there is none, or none the caller may see.',
      args: { id: t.arg.id({ required: true, description: "Better Auth's id of the user." }) },
      resolve: (_root, { id }, context) => userById(context, id),
    }),
    userByEmail: t.field({
      type: refs.User,
      nullable: true,
      description:
        'A user by e-mail address, in any case; null when there is none, or none the caller may see.',
      args: {
        email: t.arg.string({
          required: true,
          description: 'The whole address, for example `ada@example.com`.',
        }),
      },
      resolve: (_root, { email }, context) => userByEmail(context, email),
    }),
    usersByIds: t.field({
      type: [refs.User],
      nullable: { list: true, items: true },
      description:
        'Users in the order of their ids, with null in the place of those that do not exist or that the caller may not see.',
      args: {
        ids: t.arg.idList({ required: true, description: "At most 100 of Better Auth's ids." }),
      },
      resolve: (_root, { ids }, context) =>
        enterEach(context, 'identity:read', { keys: ids, name: 'ids' }, userById),
    }),
    usersByEmails: t.field({
      type: [refs.User],
      nullable: { list: true, items: true },
      description:
        'Users in the order of their e-mail addresses, in any case, with null in the place of those that do not exist or that the caller may not see.',
      args: {
        emails: t.arg.stringList({ required: true, description: 'At most 100 whole addresses.' }),
      },
      resolve: (_root, { emails }, context) =>
        enterEach(context, 'identity:pii', { keys: emails, name: 'emails' }, userByEmail),
    }),
  }))
}

/** What columns say together, or in another form. */
function defineDerived({ builder, refs, features }: Graph) {
  if (features.userFields.has('role'))
    builder.objectField(refs.User, 'roles', (t) =>
      t.stringList({
        nullable: true,
        description: 'Names of the global roles, in the order Better Auth keeps them.',
        resolve: async (user, _args, context) => {
          await context.viewer.requireUserField(user, 'roles')
          const whole = await wholeUser(context, user)
          return whole && parseRoles(whole.role ?? '')
        },
      }),
    )
  if (features.userFields.has('banned'))
    builder.objectField(refs.User, 'isBanned', (t) =>
      t.boolean({
        nullable: true,
        description: 'Whether the user is banned now: a ban was set and has not run out.',
        resolve: async (user, _args, context) => {
          await context.viewer.requireUserField(user, 'isBanned')
          const whole = await wholeUser(context, user)
          if (!whole) return null
          const { banned, banExpires } = whole
          return banned === true && (banExpires === null || banExpires.getTime() > Date.now())
        },
      }),
    )
}

/** A column of somebody whom the caller has reached, read now where a list left it out. */
function columnOf<Field extends keyof User>(
  user: UserShown,
  field: Field,
  context: Context,
): User[Field] | null | Promise<User[Field] | null> {
  // An address that is not kept is empty to repositories.
  const shown = (value: User[Field] | null | undefined) =>
    field === 'email' && value === '' ? null : (value ?? null)
  const known = (user as Partial<User>)[field]
  return known === undefined
    ? wholeUser(context, user).then((whole) => shown(whole?.[field]))
    : shown(known)
}

/** Of somebody whom the caller has reached, what a list may have left out. `null`: they have been deleted meanwhile. */
export async function wholeUser(context: Context, user: Pick<User, 'id'>): Promise<User | null> {
  return 'additional' in user ? (user as User) : usersById(context).load(user.id)
}

/** The door to one user. `null`: there is none, or none the caller may see. */
export async function userById(context: Context, id: string): Promise<User | null> {
  context.viewer.requireScope('identity:read')
  const [sees, user] = await Promise.all([
    context.viewer.seesUser(checkKey(id, 'id')),
    usersById(context).load(id),
  ])
  return sees ? user : null
}

/** The same door, by the address in any case. */
export async function userByEmail(context: Context, email: string): Promise<User | null> {
  context.viewer.requireScope('identity:pii')
  const user = await usersByAddress(context).load(checkKey(email, 'email').toLowerCase())
  return (await context.viewer.seesUser(user?.id ?? null)) ? user : null
}

/**
 * The same door, by the name to sign in with, exactly as it is stored. Whoever is not shown the name of somebody does not find
 * them by it.
 */
export async function userByUsername(context: Context, username: string): Promise<User | null> {
  const { viewer } = context
  viewer.requireScope('identity:read')
  const user = await usersByName(context).load(checkKey(username, 'username'))
  const [sees, knows] = await Promise.all([
    viewer.seesUser(user?.id ?? null),
    viewer.findsBy('username', user),
  ])
  return sees && knows ? user : null
}

const usersByName = defineLoader<string, User | null>(async (names, { users }) =>
  inOrderOf(names, await users.findByUsernames(names), ({ username }) => username ?? ''),
)

const usersByAddress = defineLoader<string, User | null>(async (addresses, { users }) =>
  inOrderOf(addresses, await users.findByEmails(addresses), ({ email }) => email.toLowerCase()),
)

/** Columns that not everyone who reaches a user may see. */
const columns = {
  email: { type: 'String', description: 'The e-mail address, in lower case.' },
  emailVerified: { type: 'Boolean', description: 'Whether the address was proved to be theirs.' },
  username: { type: 'String', description: 'The name to sign in with, normalised.' },
  displayUsername: { type: 'String', description: 'The user name as it was typed.' },
  phoneNumber: { type: 'String', description: 'The phone number.' },
  phoneNumberVerified: {
    type: 'Boolean',
    description: 'Whether the number was proved to be theirs.',
  },
  twoFactorEnabled: { type: 'Boolean', description: 'Whether sign-in asks for a second factor.' },
  isAnonymous: {
    type: 'Boolean',
    description: 'Whether the account was made without credentials.',
  },
  role: { type: 'String', description: 'Global roles, separated by commas; see `roles`.' },
  banned: {
    type: 'Boolean',
    description: 'Whether a ban was set; it may have run out: see `isBanned`.',
  },
  banReason: { type: 'String', description: 'Why the ban was set.' },
  banExpires: { type: 'DateTime', description: 'When the ban runs out; null when it does not.' },
  lastLoginMethod: {
    type: 'String',
    description: 'How the user last signed in, for example `email` or the name of a provider.',
  },
  createdAt: { type: 'DateTime', description: 'When the account was made.' },
  updatedAt: { type: 'DateTime', description: 'When the account was last changed.' },
} as const satisfies Partial<
  Record<GuardedUserField, { type: 'String' | 'Boolean' | 'DateTime'; description: string }>
>
