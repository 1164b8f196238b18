import { buildSchema, getOperationAST, parse } from 'graphql'
import { printGraph } from '../../src/gateway.ts'
import { costOf } from '../../src/operation/cost.ts'
import { shapeOf } from '../../src/operation/shape.ts'
import { layout } from './layout.ts'

/** The house's graph. */
export const schema = buildSchema(printGraph(layout))

/** What a document of one operation costs in it. */
export function pointsOf(query: string, variables: Readonly<Record<string, unknown>> = {}): number {
  const document = parse(query)
  const operation = getOperationAST(document)
  if (!operation) throw new Error('No operation.')
  return costOf(schema, shapeOf(document).fragments, operation, variables).points
}
