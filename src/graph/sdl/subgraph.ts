import type { GraphQLSchema } from 'graphql'
import { personalFields } from '../../access/audiences.ts'
import { entities } from '../federation.ts'
import { costs, roundedUp } from './costs.ts'
import { type Directives, printSdl, withoutDirectives } from './print.ts'

/**
 * The graph as composers of Apollo Federation 2 read it. With `authorization`, it also tells routers what they may refuse
 * without asking here; Apollo Gateway takes no graph that does. With `cost` it is of a version that older composers do not
 * know.
 */
export function printSubgraph(
  schema: GraphQLSchema,
  { authorization = false, cost = false } = {},
): string {
  const used = ['@key', '@shareable', '@tag']
  if (authorization) used.push('@authenticated', '@requiresScopes')
  if (cost) used.push('@cost', '@listSize')
  const link = `https://specs.apollo.dev/federation/${cost ? 'v2.9' : 'v2.5'}`
  const head = `extend schema @link(url: "${link}", import: ${JSON.stringify(used)})`
  const demanded = authorization ? authorizations(schema) : {}
  const weights = cost ? costs(schema, roundedUp) : {}
  return printSdl(withoutDirectives(schema), [head], keys, shared, personal, demanded, weights)
}

const keys: Directives = Object.fromEntries(
  Object.entries(entities).map(([type, entrances]) => [
    type,
    Object.keys(entrances)
      .map((key) => `@key(fields: "${key}")`)
      .join(' '),
  ]),
)

/** Every subgraph with connections has the same one. */
const shared: Directives = { PageInfo: '@shareable' }

const personal: Directives = Object.fromEntries(
  personalFields.map((field) => [field, '@tag(name: "pii")']),
)

/**
 * Only one door is for services alone: users carry no scopes, so a scope demanded elsewhere would lock them out.
 */
function authorizations(schema: GraphQLSchema): Directives {
  const doors = Object.keys(schema.getQueryType()?.getFields() ?? {})
  return {
    ...Object.fromEntries(Object.keys(entities).map((type) => [type, '@authenticated'])),
    ...Object.fromEntries(
      doors.filter((door) => door !== 'viewer').map((door) => [`Query.${door}`, '@authenticated']),
    ),
    'Query.organizations': '@requiresScopes(scopes: [["identity:read"]])',
  }
}
