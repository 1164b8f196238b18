import type { GraphQLSchema } from 'graphql'
import type { AuditSink } from '../domain/audit.ts'
import type { Caller } from '../domain/caller.ts'
import type { Features } from '../domain/features.ts'
import type { RequestScope } from '../scope.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { AuditFile } from './audit-file.ts'
import { decisions } from './decisions.ts'
import { readings } from './readings.ts'
import { createTrail, type Trail } from './trail.ts'
import { watch } from './watch.ts'

/** Follows what one operation tells its caller. */
export type Audit = (caller: Caller, scope: RequestScope) => Trail

export interface Auditing {
  readonly audit: Audit
  /** For what answers questions about permissions alone; `null`: these are not recorded. */
  readonly ofDecisions: Audit | null
  /** `null`: somebody else takes the records. */
  readonly file: AuditFile | null
}

/**
 * Watches the fields of the graph that tell what is to be recorded.
 * @param sink Takes the records in place of the file.
 */
export function createAudit(
  wanted: { readonly decisions: boolean; readonly pii: boolean; readonly file: string },
  { schema, features }: { readonly schema: GraphQLSchema; readonly features: Features },
  sink: AuditSink | undefined,
  telemetry: Pick<Telemetry, 'log' | 'metrics'>,
): Auditing {
  if (wanted.decisions) watch(schema, decisions)
  if (wanted.pii) watch(schema, readings(schema, features))
  // Not opened here.
  const file = new AuditFile(wanted.file, telemetry)
  const audit: Audit = (caller, scope) => createTrail(caller, scope, sink ?? file)
  return { audit, ofDecisions: wanted.decisions ? audit : null, file: sink ? null : file }
}
