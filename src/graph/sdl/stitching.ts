import type { GraphQLSchema } from 'graphql'
import { printSdl } from './print.ts'

/** What the stitching directives of GraphQL Tools are called by default. */
const HEAD = `directive @key(selectionSet: String!) on OBJECT

directive @merge(argsExpr: String) on FIELD_DEFINITION`

/** The graph as `@graphql-tools/stitching-directives` reads it: which fields load which types by many keys at once. */
export function printStitching(schema: GraphQLSchema): string {
  return printSdl(schema, HEAD, {
    User: '@key(selectionSet: "{ id }")',
    Organization: '@key(selectionSet: "{ id }")',
    'Query.usersByIds': '@merge(argsExpr: "ids: [[$key.id]]")',
    'Query.organizationsByIds': '@merge(argsExpr: "ids: [[$key.id]]")',
  })
}
