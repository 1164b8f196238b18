import type { GraphQLSchema } from 'graphql'
import { personalFields } from '../../access/audiences.ts'
import { entities } from '../federation.ts'
import { type Directives, printSdl } from './print.ts'

const LINK = 'https://specs.apollo.dev/federation/v2.5'

/**
 * The graph as composers of Apollo Federation 2 read it. With `authorization`, it also tells routers what they may refuse
 * without asking here; Apollo Gateway takes no graph that does.
 */
export function printSubgraph(schema: GraphQLSchema, { authorization = false } = {}): string {
  const used = ['@key', '@shareable', '@tag']
  if (authorization) used.push('@authenticated', '@requiresScopes')
  const head = `extend schema @link(url: "${LINK}", import: ${JSON.stringify(used)})`
  const demanded = authorization ? authorizations(schema) : {}
  return printSdl(schema, head, keys, shared, personal, demanded)
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
