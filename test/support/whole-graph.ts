import type { GraphQLSchema } from 'graphql'
import { userAudiences } from '../../src/access/audiences.ts'
import { createSchema } from '../../src/graph/schema.ts'
import { models } from '../../src/layout/contract.ts'

/** The graph of a database that has everything that Better Auth and its plug-ins can keep. */
export function wholeGraph(): GraphQLSchema {
  return createSchema({
    organizations: true,
    models: new Set(models),
    userFields: new Set(Object.keys(userAudiences)),
    additional: { User: [], Organization: [], Member: [] },
  })
}
