import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql'
import { fetchables } from '../relay.ts'
import { COST_HEAD, costs, exactly } from './costs.ts'
import { printSdl, withoutDirectives } from './print.ts'
import { printSubgraph } from './subgraph.ts'

/** What the graph is printed for: clients, a composer of Apollo Federation (with or without authorization), a stitcher. */
export type GraphForm = 'plain' | 'federation' | 'federation with authorization' | 'stitching'

/** With `cost`, also what things weigh, as `@cost` and `@listSize` say it; with `prefix`, of federation, types named with it. */
export function printForm(
  schema: GraphQLSchema,
  form: GraphForm,
  { cost = false, prefix = '' } = {},
): string {
  const head = cost ? [COST_HEAD] : []
  const weights = cost ? costs(schema, exactly) : {}
  switch (form) {
    case 'plain':
      return cost ? printSdl(schema, head, fetchables, weights) : printPlain(schema)
    case 'stitching':
      return printSdl(withoutDirectives(schema), [STITCHING_HEAD, ...head], stitching, weights)
    case 'federation':
      return printSubgraph(schema, { cost, prefix })
    case 'federation with authorization':
      return printSubgraph(schema, { cost, prefix, authorization: true })
  }
}

/** As GraphQL.js prints it, with air between fields. */
function printPlain(schema: GraphQLSchema): string {
  const text = printSchema(lexicographicSortSchema(schema))
  return `${text.replace(/^type (\w+) (?=\{$)/gm, (type, name) => `${type}${fetchables[name] ? `${fetchables[name]} ` : ''}`)}\n`
}

/** What the stitching directives of GraphQL Tools are called by default. */
const STITCHING_HEAD = `directive @key(selectionSet: String!) on OBJECT

directive @merge(argsExpr: String) on FIELD_DEFINITION`

/** Which fields load which types by many keys at once, as `@graphql-tools/stitching-directives` reads it. */
const stitching = {
  User: '@key(selectionSet: "{ id }")',
  Organization: '@key(selectionSet: "{ id }")',
  'Query.usersByIds': '@merge(argsExpr: "ids: [[$key.id]]")',
  'Query.organizationsByIds': '@merge(argsExpr: "ids: [[$key.id]]")',
}
