import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql'
import { printStitching } from './stitching.ts'
import { printSubgraph } from './subgraph.ts'

/** What the graph is printed for: clients, a composer of Apollo Federation (with or without authorization), a stitcher. */
export type GraphForm = 'plain' | 'federation' | 'federation with authorization' | 'stitching'

export function printForm(schema: GraphQLSchema, form: GraphForm): string {
  switch (form) {
    case 'plain':
      return `${printSchema(lexicographicSortSchema(schema))}\n`
    case 'stitching':
      return printStitching(schema)
    case 'federation':
      return printSubgraph(schema)
    case 'federation with authorization':
      return printSubgraph(schema, { authorization: true })
  }
}
