import {
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isObjectType,
} from 'graphql'

/** The types that subscriptions alone have: what they are answered with is asked in test/changes, and not by queries. */
export function subscriptionTypes(schema: GraphQLSchema): ReadonlySet<GraphQLNamedType> {
  const root = schema.getSubscriptionType()
  const typesIn = (type: GraphQLNamedType | null | undefined) =>
    isObjectType(type)
      ? Object.values(type.getFields()).map((field) => getNamedType(field.type))
      : []
  const events = typesIn(root)
  const kinds = events.flatMap(typesIn).filter(isEnumType)
  return new Set([...(root ? [root] : []), ...events, ...kinds])
}
