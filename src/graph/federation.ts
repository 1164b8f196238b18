import { brandWithType } from '@pothos/core'
import { GatewayError } from '../domain/errors.ts'
import { REPRESENTATION } from '../domain/limits.ts'
import { type Context, inTurn } from './context.ts'
import type { EntityName, entitiesOf, Reference } from './entities.ts'
import type { Graph } from './graph.ts'

export interface FederationOptions {
  /** The graph without these fields, as a composer reads it. */
  readonly sdl: string
  readonly entities: ReturnType<typeof entitiesOf>
  /** So many references are answered at once. */
  readonly mostReferences: number
}

/** What a router of Apollo Federation asks of a subgraph. */
export function defineFederation({ builder, refs }: Graph, options: FederationOptions) {
  const { sdl, entities, mostReferences } = options
  builder.scalarType(REPRESENTATION, {
    description: 'A reference to an entity: its `__typename` and one of its keys.',
    serialize: (value) => value,
  })
  const Entity = builder.unionType('_Entity', {
    description: 'What other subgraphs refer to.',
    types: [...entities.keys()].map((name) => refs[name]),
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
      description: `For routers: entities in the order of their references, with null in the place of those that do not exist or that the caller may not see. The first ${mostReferences} are answered, and of the others one tells with LIMIT_EXCEEDED that they are not.`,
      // No more are ever paid for.
      extensions: { longest: mostReferences },
      args: {
        representations: t.arg({
          type: [REPRESENTATION],
          required: true,
          description: 'The references.',
        }),
      },
      resolve: async (_root, { representations }, context) => {
        const answered = await inTurn(context, representations.slice(0, mostReferences))
        const found = answered.map((reference) => follow(context, reference, options, refs))
        const left = representations.slice(mostReferences)
        return [...found, ...left.map((_, index) => (index === 0 ? refuse(options, left) : null))]
      },
    }),
  }))
}

async function follow(
  context: Context,
  representation: unknown,
  { entities }: FederationOptions,
  refs: Graph['refs'],
) {
  // Without one, each is refused by itself: as the specification has it, this list is never null.
  context.viewer.requireCredential()
  const reference: Reference = Object(representation)
  const name = reference.__typename as EntityName
  const entrances = entities.get(name)
  if (!entrances)
    throw new GatewayError(
      'BAD_USER_INPUT',
      `__typename of a representation is one of ${[...entities.keys()].join(', ')}.`,
    )
  const entity = await enter(context, name, reference, entrances)
  brandWithType(entity, refs[name])
  return entity
}

/**
 * The first key decides, and others are not compared with the entity: that would tell what it holds to callers who may
 * not see it.
 * @throws GatewayError BAD_USER_INPUT
 */
function enter(
  context: Context,
  name: EntityName,
  reference: Reference,
  entrances: NonNullable<ReturnType<FederationOptions['entities']['get']>>,
) {
  for (const entrance of entrances) {
    const entity = entrance.enter(context, reference)
    if (entity) return entity
  }
  throw new GatewayError(
    'BAD_USER_INPUT',
    `A representation of ${name} has one of these, as a string: ${entrances.map(({ key }) => key).join(', ')}.`,
  )
}

/** One error for all of them: routers show it, and a thousand would say no more. */
async function refuse(
  { mostReferences }: FederationOptions,
  left: readonly unknown[],
): Promise<never> {
  throw new GatewayError(
    'LIMIT_EXCEEDED',
    `Of ${mostReferences + left.length} references to entities, the first ${mostReferences} are answered (LIMIT_REFERENCES of the identity subgraph): ask for smaller pages.`,
  )
}
