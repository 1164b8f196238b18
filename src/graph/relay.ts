import { DirectiveLocation, GraphQLDirective, GraphQLNonNull, GraphQLString } from 'graphql'
import type { Context } from './context.ts'
import type { Graph } from './graph.ts'
import { memberById } from './member.ts'
import { organizationById } from './organization.ts'
import { hasTeams } from './refs.ts'
import type { Directives } from './sdl/print.ts'
import { teamById } from './team.ts'
import { userById } from './user.ts'

/**
 * Types that Relay can fetch one of again, by the door to it. Ids are Better Auth's own, which do not name their type and
 * may be the same number in two tables, so that `node(id)` could not tell what it is asked for.
 */
const doors = {
  User: userById,
  Organization: organizationById,
  Member: memberById,
  Team: teamById,
} as const

type Door = (context: Context, id: string) => Promise<unknown>

/** As Relay's compiler reads it from a schema. */
export const fetchable = new GraphQLDirective({
  name: 'fetchable',
  description:
    'For Relay: one of these can be fetched again by this field of it, which is the argument of `fetch__` and the name of the type.',
  locations: [DirectiveLocation.OBJECT],
  args: { field_name: { type: new GraphQLNonNull(GraphQLString), description: 'Its name.' } },
})

export const fetchables: Directives = Object.fromEntries(
  Object.keys(doors).map((type) => [type, '@fetchable(field_name: "id")']),
)

/** The queries that Relay makes of a fragment with `@refetchable`. */
export function defineRelay({ builder, refs, features }: Graph) {
  const define = (type: keyof typeof doors, description: string) => {
    const door: Door = doors[type]
    // Which of the types it is the compiler cannot follow; the door and the type are of one name.
    builder.queryField(`fetch__${type}`, (t) =>
      t.field({
        type: refs[type] as typeof refs.User,
        nullable: true,
        description,
        args: { id: t.arg.id({ required: true, description: "Better Auth's own id." }) },
        resolve: async (_root, { id }, context) => (await door(context, id)) as null,
      }),
    )
  }
  define('User', 'For Relay: the same as `user`.')
  if (!features.organizations) return
  define('Organization', 'For Relay: the same as `organization`.')
  define(
    'Member',
    'For Relay: a membership by its own id; null when there is none, or none in an organization the caller may see.',
  )
  if (hasTeams(features)) define('Team', 'For Relay: the same as `team`.')
}
