import type { GraphQLSchema } from 'graphql'
import { entitiesOf } from '../entities.ts'
import { costs, roundedUp } from './costs.ts'
import { personalPlaces } from './personal.ts'
import { prefixed } from './prefix.ts'
import { type Directives, printSdl, withoutDirectives } from './print.ts'

/**
 * The graph as composers of Apollo Federation 2 read it. With `authorization`, it also tells routers what they may refuse
 * without asking here; Apollo Gateway takes no graph that does. With `cost` it is of a version that older composers do not
 * know. With `prefix`, types that could stand in the way of another subgraph's are named with it.
 */
export function printSubgraph(
  schema: GraphQLSchema,
  { authorization = false, cost = false, prefix = '' } = {},
): string {
  const used = ['@key', '@shareable', '@tag']
  if (authorization) used.push('@authenticated', '@requiresScopes')
  if (cost) used.push('@cost', '@listSize')
  const link = `https://specs.apollo.dev/federation/${cost ? 'v2.9' : 'v2.5'}`
  const imported = used.map((name) => `"${name}"`).join(', ')
  const head = `extend schema @link(url: "${link}", import: [${imported}])`
  const demanded = authorization ? authorizations(schema) : {}
  const weights = cost ? costs(schema, roundedUp) : {}
  const personal = Object.fromEntries(
    personalPlaces(schema).map((place) => [place, '@tag(name: "pii")']),
  )
  const sdl = printSdl(
    withoutDirectives(schema),
    [head],
    keysOf(schema),
    shared,
    personal,
    demanded,
    weights,
  )
  return prefixed(sdl, prefix)
}

function keysOf(schema: GraphQLSchema): Directives {
  return Object.fromEntries(
    [...entitiesOf(schema)].map(([type, entrances]) => [
      type,
      entrances.map(({ key }) => `@key(fields: "${key}")`).join(' '),
    ]),
  )
}

/**
 * What other subgraphs may know as well: pages of every one that has connections, and what services keep beside an id, so
 * that they can provide it (`@provides`).
 */
const shared: Directives = {
  PageInfo: '@shareable',
  'User.name': '@shareable',
  'User.image': '@shareable',
  'Organization.name': '@shareable',
  'Organization.logo': '@shareable',
  'Team.name': '@shareable',
}

/**
 * Two doors are for services alone: users carry no scopes, so a scope demanded elsewhere would lock them out. Without a
 * credential `viewer` is null here, and so it is to a router that asks nobody.
 */
function authorizations(schema: GraphQLSchema): Directives {
  const doors = [schema.getQueryType(), schema.getSubscriptionType()].flatMap((root) =>
    Object.keys(root?.getFields() ?? {}).map((door) => `${root?.name}.${door}`),
  )
  const places = [...entitiesOf(schema).keys(), ...doors]
  return {
    ...Object.fromEntries(places.map((place) => [place, '@authenticated'])),
    ...Object.fromEntries(ofServices.map((door) => [door, READERS])),
  }
}

const ofServices = ['Query.organizations', 'Subscription.accessChanged']
const READERS = '@requiresScopes(scopes: [["identity:read"]])'
