import type { GraphQLSchema } from 'graphql'
import type { AuditSink } from '../domain/audit.ts'
import type { Caller } from '../domain/caller.ts'
import type { Features } from '../domain/features.ts'
import type { RequestScope } from '../scope.ts'
import { decisions } from './decisions.ts'
import { readings } from './readings.ts'
import { createTrail, type Trail } from './trail.ts'
import { watch } from './watch.ts'

/** Follows what one operation tells its caller. */
export type Audit = (caller: Caller, scope: RequestScope) => Trail

/** Watches the fields of the graph that tell what is to be recorded. */
export function createAudit(
  wanted: { readonly decisions: boolean; readonly pii: boolean },
  schema: GraphQLSchema,
  features: Features,
  sink: AuditSink,
): Audit {
  if (wanted.decisions) watch(schema, decisions)
  if (wanted.pii) watch(schema, readings(schema, features))
  return (caller, scope) => createTrail(caller, scope, sink)
}
