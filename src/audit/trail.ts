import type { ExecutionResult } from 'graphql'
import type { AuditSink, AuditTrail, Path, Reading, Told } from '../domain/audit.ts'
import type { Caller } from '../domain/caller.ts'
import type { RequestScope } from '../scope.ts'

export interface Trail extends AuditTrail {
  /** Records what the answer holds in the end: an error takes the fields around it along, and a deadline all of them. */
  end(result: ExecutionResult): void
}

export function createTrail(caller: Caller, scope: RequestScope, sink: AuditSink): Trail {
  /** By path: an operation may be run a second time, and notes the same again. */
  const noted = new Map<string, Parameters<AuditTrail['note']>>()
  return {
    note: (path, empty, told) => {
      if (told.length > 0) noted.set(path.join('.'), [path, empty, told])
    },
    end: ({ data, errors }) => {
      if (scope.ended || noted.size === 0) return
      const told = [...noted.values()].flatMap(([path, empty, told]) =>
        !errors || isIn(data, path, empty) ? told : [],
      )
      const asked = {
        time: new Date().toISOString(),
        requestId: scope.id,
        caller: recorded(caller),
      }
      const own = caller.kind === 'user' ? caller.userId : null
      for (const one of joined(told))
        if (one.audit === 'decision' || one.userId !== own) sink.write({ ...asked, ...one })
    },
  }
}

/** A caller as records have one. */
function recorded(caller: Caller) {
  if ('scopes' in caller) return { ...caller, scopes: [...caller.scopes] }
  if (caller.kind !== 'user') return caller
  const { findSession: _, ...user } = caller
  return user
}

function isIn(data: unknown, path: Path, empty: boolean): boolean {
  let at = data
  for (const key of path) at = (at as Readonly<Record<string, unknown>> | null | undefined)?.[key]
  return empty ? at === null : at !== null && at !== undefined
}

/** What was read of the same person or organization is one record. */
function joined(told: readonly Told[]): readonly Told[] {
  const readings = new Map<string, Reading>()
  for (const one of told) {
    if (one.audit !== 'pii') continue
    const key = JSON.stringify([one.userId, one.organizationId])
    const fields = new Set([...(readings.get(key)?.fields ?? []), ...one.fields])
    readings.set(key, { ...one, fields: [...fields] })
  }
  return [...told.filter(({ audit }) => audit === 'decision'), ...readings.values()]
}
