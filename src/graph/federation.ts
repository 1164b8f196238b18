import { brandWithType } from '@pothos/core'
import { GatewayError } from '../domain/errors.ts'
import { checkLength, MOST_REPRESENTATIONS, REPRESENTATION } from '../domain/limits.ts'
import type { Member } from '../domain/member.ts'
import type { Organization } from '../domain/organization.ts'
import type { User } from '../domain/user.ts'
import { type Context, inTurn } from './context.ts'
import type { Graph } from './graph.ts'
import { memberById } from './member.ts'
import { organizationById, organizationBySlug } from './organization.ts'
import { userByEmail, userById } from './user.ts'

/** How to enter each entity by each of its keys. They are the doors of Query, with the same checks. */
export const entities: Readonly<Record<EntityName, Readonly<Record<string, Entrance>>>> = {
  User: { id: userById, email: userByEmail },
  Organization: { id: organizationById, slug: organizationBySlug },
  Member: { id: memberById },
}

type EntityName = 'User' | 'Organization' | 'Member'
type Entity = User | Organization | Member
type Entrance = (context: Context, key: string) => Promise<Entity | null>

/** What a router of Apollo Federation asks of a subgraph. `sdl` is the graph without these fields. */
export function defineFederation({ builder, refs, features }: Graph, sdl: string) {
  builder.scalarType(REPRESENTATION, {
    description: 'A reference to an entity: its `__typename` and one of its keys.',
    serialize: (value) => value,
  })
  const names: EntityName[] = features.organizations ? ['User', 'Organization', 'Member'] : ['User']
  const Entity = builder.unionType('_Entity', {
    description: 'What other subgraphs refer to.',
    types: names.map((name) => refs[name]),
  })
  const Service = builder.objectRef<{ readonly sdl: string }>('_Service').implement({
    description: 'This subgraph, as a composer reads it.',
    fields: (t) => ({
      sdl: t.exposeString('sdl', {
        nullable: true,
        description: "The graph in GraphQL's schema language, with federation directives.",
      }),
    }),
  })
  builder.queryFields((t) => ({
    _service: t.field({
      type: Service,
      description: 'For composers.',
      resolve: () => ({ sdl }),
    }),
    _entities: t.field({
      type: [Entity],
      nullable: { list: false, items: true },
      description:
        'For routers: entities in the order of their references, with null in the place of those that do not exist or that the caller may not see.',
      args: {
        representations: t.arg({
          type: [REPRESENTATION],
          required: true,
          description: 'The references, at most 1,000.',
        }),
      },
      resolve: async (_root, { representations }, context) => {
        checkLength(representations, 'representations', MOST_REPRESENTATIONS)
        const referred = await inTurn(context, representations)
        // Without one, each is refused by itself: as the specification has it, this list is never null.
        return referred.map(async (representation) => {
          context.viewer.requireCredential()
          const { name, enter, key } = readReference(representation, names)
          const entity = await enter(context, key)
          brandWithType(entity, refs[name])
          return entity
        })
      },
    }),
  }))
}

/**
 * The first key decides, and others are not compared with the entity: that would tell what it holds to callers who may
 * not see it.
 * @throws GatewayError BAD_USER_INPUT
 */
function readReference(representation: unknown, names: readonly EntityName[]) {
  const fields: Readonly<Record<string, unknown>> = Object(representation)
  const name = names.find((known) => known === fields.__typename)
  if (!name)
    throw new GatewayError(
      'BAD_USER_INPUT',
      `__typename of a representation is one of ${names.join(', ')}.`,
    )
  for (const [key, enter] of Object.entries(entities[name])) {
    const value = fields[key]
    if (typeof value === 'string') return { name, enter, key: value }
  }
  throw new GatewayError(
    'BAD_USER_INPUT',
    `A representation of ${name} has one of these, as a string: ${Object.keys(entities[name]).join(', ')}.`,
  )
}
