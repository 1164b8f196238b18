import { buildSchema, extendSchema, type GraphQLSchema, parse } from 'graphql'
import { printGraph } from '../../src/gateway.ts'
import type { Layout } from '../../src/layout/layout.ts'
import { layout } from './layout.ts'

/** What the specification of Apollo Federation has a subgraph answer beside its own graph. */
const additions = parse(`
  scalar _Any
  union _Entity = Invitation | Member | Organization | Team | User
  type _Service { sdl: String }
  extend type Query {
    _entities(representations: [_Any!]!): [_Entity]!
    _service: _Service!
  }
`)

/** The graph of these tables that is served with FEDERATION=on, without the descriptions of what is added. */
export function federatedGraph(of: Layout = layout): GraphQLSchema {
  return extendSchema(buildSchema(printGraph(of)), additions)
}
