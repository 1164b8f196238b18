import { loadNames } from '../config/config.ts'
import { typePrefix } from '../config/kinds.ts'
import { readLayout } from '../config/layout.ts'
import { command, WrongUsage } from './command.ts'

export const schema = command({
  synopsis: 'schema',
  usage: `Print the graph in GraphQL's schema language.
  --federation      as a subgraph of Apollo Federation 2
  --authorization   with --federation: also @authenticated and @requiresScopes
  --prefix NAME     with --federation: names of types that another subgraph could have as well begin with NAME, as
                    with FEDERATION_PREFIX
  --stitching       with the stitching directives of GraphQL Tools
  --cost            in each of these forms: also what LIMIT_COST counts, as @cost and @listSize; with --federation of
                    version 2.9`,
  options: {
    federation: { type: 'boolean' },
    authorization: { type: 'boolean' },
    prefix: { type: 'string' },
    stitching: { type: 'boolean' },
    cost: { type: 'boolean' },
  },
  run: async ({ federation, authorization, prefix, stitching, cost }) => {
    if (federation && stitching)
      throw new WrongUsage('--federation and --stitching exclude each other.')
    if (authorization && !federation)
      throw new WrongUsage('--authorization is of use with --federation alone.')
    if (prefix !== undefined && !federation)
      throw new WrongUsage('--prefix is of use with --federation alone.')
    if (prefix !== undefined && !typePrefix.safeParse(prefix).success)
      throw new WrongUsage(`--prefix must be ${typePrefix.description}.`)
    const { printGraph } = await import('../print.ts')
    const subgraph = authorization ? 'federation with authorization' : 'federation'
    const form = stitching ? 'stitching' : federation ? subgraph : 'plain'
    process.stdout.write(printGraph(readLayout(loadNames(process.env)), form, { cost, prefix }))
  },
})
